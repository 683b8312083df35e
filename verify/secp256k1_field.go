package verify

import (
	"encoding/binary"
	"math/bits"
)

// fe is a number modulo p = 2²⁵⁶ − feC, least significant limb first, always below p.
type fe [4]uint64

const feC = 0x1000003d1 // 2²⁵⁶ mod p

// feFrom reads 32 bytes, big-endian; ok is false from p on.
func feFrom(b []byte) (z fe, ok bool) {
	for i := range z {
		z[3-i] = binary.BigEndian.Uint64(b[8*i:])
	}
	_, over := z.plusC()
	return z, !over
}

func (z fe) bytes() (b [32]byte) {
	for i := range z {
		binary.BigEndian.PutUint64(b[8*i:], z[3-i])
	}
	return b
}

func (z fe) zero() bool { return z == fe{} }

func (z fe) odd() bool { return z[0]&1 == 1 }

// plusC is z + feC modulo 2²⁵⁶, which is z − p when it overflows, and overflows exactly when z ≥ p.
func (z fe) plusC() (fe, bool) {
	var c uint64
	z[0], c = bits.Add64(z[0], feC, 0)
	for i := 1; i < 4; i++ {
		z[i], c = bits.Add64(z[i], 0, c)
	}
	return z, c == 1
}

func feSub(a, b fe) (z fe) {
	var c uint64
	for i := range z {
		z[i], c = bits.Sub64(a[i], b[i], c)
	}
	if c == 1 { // + p is − feC modulo 2²⁵⁶
		z[0], c = bits.Sub64(z[0], feC, 0)
		for i := 1; i < 4; i++ {
			z[i], c = bits.Sub64(z[i], 0, c)
		}
	}
	return z
}

func feMul(a, b fe) fe {
	var t [8]uint64
	for i := range a {
		var carry uint64
		for j := range b {
			carry, t[i+j] = mulAdd(a[i], b[j], t[i+j], carry)
		}
		t[i+4] = carry
	}
	return feReduce(&t)
}

// mulAdd is a·b + c + d, which fits 128 bits.
func mulAdd(a, b, c, d uint64) (hi, lo uint64) {
	hi, lo = bits.Mul64(a, b)
	lo, carry := bits.Add64(lo, c, 0)
	hi += carry
	lo, carry = bits.Add64(lo, d, 0)
	return hi + carry, lo
}

// feReduce folds 512 bits by 2²⁵⁶ = feC modulo p, twice, and what is then still too much once more.
func feReduce(t *[8]uint64) (z fe) {
	var carry uint64
	for i := range z {
		carry, z[i] = mulAdd(t[4+i], feC, t[i], carry)
	}
	hi, lo := bits.Mul64(carry, feC)
	var c uint64
	z[0], c = bits.Add64(z[0], lo, 0)
	z[1], c = bits.Add64(z[1], hi, c)
	z[2], c = bits.Add64(z[2], 0, c)
	z[3], c = bits.Add64(z[3], 0, c)
	if c == 1 {
		z, _ = z.plusC()
		return z
	}
	if less, over := z.plusC(); over {
		return less
	}
	return z
}

// feTimes is z·k for a small k.
func feTimes(z fe, k uint64) fe { return feMul(z, fe{k}) }

// fePow is z to the power of e, big-endian bytes.
func fePow(z fe, e []byte) fe {
	out := fe{1}
	for _, b := range e {
		for i := 7; i >= 0; i-- {
			if out = feMul(out, out); b>>i&1 == 1 {
				out = feMul(out, z)
			}
		}
	}
	return out
}
