package verify

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/big"

	"golang.org/x/crypto/sha3"
)

// Recovery of secp256k1 signers (SEC 1 version 2, sections 2.3.4 and 4.1.6). It sees public values only, so its time may
// depend on them. The page's verifier has no room for a curve library; the one in keys/dstackkey is the judge in the tests.

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic("internal: verify: a constant is not hex")
	}
	return b
}

// Constants of the curve y² = x³ + 7 over p (SEC 2 version 2, section 2.4.1).
const (
	secpOrder   = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
	secpBaseX   = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
	secpBaseY   = "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
	secpRoot    = "3fffffffffffffffffffffffffffffffffffffffffffffffffffffffbfffff0c" // (p + 1) / 4: p is 3 mod 4
	secpInverse = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2d" // p − 2
)

// jacobian is a point (x/z², y/z³); z = 0 is the point at infinity.
type jacobian struct{ x, y, z fe }

// double: dbl-2009-l of the Explicit-Formulas Database, for curves with a = 0.
func (q jacobian) double() jacobian {
	a, b := feMul(q.x, q.x), feMul(q.y, q.y)
	d, e := feTimes(feMul(q.x, b), 4), feTimes(a, 3)
	x := feSub(feMul(e, e), feTimes(d, 2))
	y := feSub(feMul(e, feSub(d, x)), feTimes(feMul(b, b), 8))
	return jacobian{x, y, feTimes(feMul(q.y, q.z), 2)}
}

// add: add-2007-bl without its shortcuts.
func (q jacobian) add(r jacobian) jacobian {
	switch {
	case q.z.zero():
		return r
	case r.z.zero():
		return q
	}
	qq, rr := feMul(q.z, q.z), feMul(r.z, r.z)
	u1, u2 := feMul(q.x, rr), feMul(r.x, qq)
	s1, s2 := feMul(q.y, feMul(r.z, rr)), feMul(r.y, feMul(q.z, qq))
	h, s := feSub(u2, u1), feSub(s2, s1)
	switch {
	case h.zero() && s.zero():
		return q.double()
	case h.zero():
		return jacobian{}
	}
	hh := feMul(h, h)
	hhh, v := feMul(h, hh), feMul(u1, hh)
	x := feSub(feSub(feMul(s, s), hhh), feTimes(v, 2))
	return jacobian{x, feSub(feMul(s, feSub(v, x)), feMul(s1, hhh)), feMul(h, feMul(q.z, r.z))}
}

// twoScale is u·q + v·r, both at once (Shamir's trick).
func twoScale(u *big.Int, q jacobian, v *big.Int, r jacobian) (out jacobian) {
	table := [4]jacobian{1: q, 2: r, 3: q.add(r)}
	for i := max(u.BitLen(), v.BitLen()) - 1; i >= 0; i-- {
		out = out.double()
		if bit := u.Bit(i) | v.Bit(i)<<1; bit != 0 {
			out = out.add(table[bit])
		}
	}
	return out
}

// lift finds the point with this x (32 bytes) and this parity of y.
func lift(x []byte, odd bool) (jacobian, bool) {
	px, ok := feFrom(x)
	if !ok {
		return jacobian{}, false
	}
	square := feSub(feMul(feMul(px, px), px), feSub(fe{}, fe{7}))
	y := fePow(square, unhex(secpRoot))
	if feMul(y, y) != square {
		return jacobian{}, false
	}
	if y.odd() != odd {
		y = feSub(fe{}, y)
	}
	return jacobian{px, y, fe{1}}, true
}

// affine gives x and y, 32 bytes each.
func (q jacobian) affine() (xy [64]byte, ok bool) {
	if q.z.zero() {
		return xy, false
	}
	inverse := fePow(q.z, unhex(secpInverse))
	square := feMul(inverse, inverse)
	x, y := feMul(q.x, square).bytes(), feMul(q.y, feMul(square, inverse)).bytes()
	copy(xy[:32], x[:])
	copy(xy[32:], y[:])
	return xy, true
}

func secpBase() jacobian {
	x, _ := feFrom(unhex(secpBaseX))
	y, _ := feFrom(unhex(secpBaseY))
	return jacobian{x, y, fe{1}}
}

// recoverSecp256k1 returns the compressed public key (33 bytes) that made a signature r ‖ s ‖ v, v 0 to 3, over a digest. High S
// is refused: a signature has one form.
func recoverSecp256k1(digest [32]byte, signature []byte) ([]byte, error) {
	if len(signature) != 65 || signature[64] > 3 {
		return nil, errors.New("the signature is not r, s and v")
	}
	n := new(big.Int).SetBytes(unhex(secpOrder))
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:64])
	if r.Sign() == 0 || s.Sign() == 0 || r.Cmp(n) >= 0 || s.Cmp(new(big.Int).Rsh(n, 1)) > 0 {
		return nil, errors.New("the signature is out of range or has a high S")
	}
	x := new(big.Int).Set(r)
	if signature[64]&2 != 0 {
		x.Add(x, n)
	}
	var point jacobian
	ok := x.BitLen() <= 256
	if ok {
		point, ok = lift(x.FillBytes(make([]byte, 32)), signature[64]&1 == 1)
	}
	if !ok {
		return nil, errors.New("the signature belongs to no point of the curve")
	}
	inverse := new(big.Int).ModInverse(r, n)
	u := new(big.Int).SetBytes(digest[:])
	u.Mod(u.Neg(u.Mul(u, inverse)), n)
	v := s.Mod(s.Mul(s, inverse), n)
	xy, ok := twoScale(u, secpBase(), v, point).affine()
	if !ok {
		return nil, errors.New("the signature belongs to no key")
	}
	return append([]byte{2 | xy[63]&1}, xy[:32]...), nil
}

// evmAddress is the last 20 bytes of the Keccak-256 of a compressed secp256k1 key's x ‖ y.
func evmAddress(compressed []byte) (address [20]byte, ok bool) {
	if len(compressed) != 33 || compressed[0]&^1 != 2 {
		return address, false
	}
	point, ok := lift(compressed[1:], compressed[0]&1 == 1)
	if !ok {
		return address, false
	}
	xy, ok := point.affine()
	sum := keccak256(xy[:])
	return [20]byte(sum[12:]), ok
}

func keccak256(parts ...[]byte) (sum [32]byte) {
	h := sha3.NewLegacyKeccak256()
	h.Write(bytes.Join(parts, nil))
	h.Sum(sum[:0])
	return sum
}
