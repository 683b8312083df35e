package guestapi

import (
	"encoding/binary"
	"math/bits"
)

// keccakSum is original Keccak (padding 0x01) with a digest of size bytes. golang.org/x/crypto has it for 256 and 512 bits only,
// and the protocol knows keccak384 as well. Spec: keccak.team, Keccak-f[1600], 24 rounds.
func keccakSum(msg []byte, size int) []byte {
	rate := 200 - 2*size
	padded := append(append(make([]byte, 0, len(msg)+rate), msg...), 0x01)
	for len(padded)%rate != 0 {
		padded = append(padded, 0)
	}
	padded[len(padded)-1] |= 0x80
	var state [25]uint64
	for ; len(padded) > 0; padded = padded[rate:] {
		for i := range rate / 8 {
			state[i] ^= binary.LittleEndian.Uint64(padded[8*i:])
		}
		keccakF(&state)
	}
	var out []byte
	for i := range size / 8 {
		out = binary.LittleEndian.AppendUint64(out, state[i])
	}
	return out
}

func keccakF(a *[25]uint64) {
	rc := uint64(1) // the round constants come out of an 8-bit LFSR, x^8+x^6+x^5+x^4+1
	step := func() uint64 {
		bit := rc & 1
		rc = rc<<1 ^ (rc>>7)*0x171
		return bit
	}
	for range 24 {
		theta(a)
		rhoPi(a)
		chi(a)
		for j := range 7 {
			a[0] ^= step() << (1<<j - 1)
		}
	}
}

func theta(a *[25]uint64) {
	var c [5]uint64
	for x := range 5 {
		c[x] = a[x] ^ a[x+5] ^ a[x+10] ^ a[x+15] ^ a[x+20]
	}
	for i := range 25 {
		a[i] ^= c[(i+4)%5] ^ bits.RotateLeft64(c[(i+1)%5], 1)
	}
}

func rhoPi(a *[25]uint64) {
	x, y, held := 1, 0, a[1]
	for t := range 24 {
		x, y = y, (2*x+3*y)%5
		held, a[x+5*y] = a[x+5*y], bits.RotateLeft64(held, (t+1)*(t+2)/2%64)
	}
}

func chi(a *[25]uint64) {
	for y := 0; y < 25; y += 5 {
		var row [5]uint64
		copy(row[:], a[y:y+5])
		for x := range 5 {
			a[y+x] = row[x] ^ ^row[(x+1)%5]&row[(x+2)%5]
		}
	}
}
