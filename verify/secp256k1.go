package verify

import (
	"errors"
	"math/big"

	"golang.org/x/crypto/sha3"
)

// Recovery of secp256k1 signers (SEC 1 version 2, sections 2.3.4 and 4.1.6) over math/big: public values only, so its time
// may depend on them. The page's verifier has no room for a curve library; keys/dstackkey is the judge in the tests.

func hexInt(s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 16)
	if !ok {
		panic("internal: verify: a constant is not hex")
	}
	return n
}

// secp holds the curve's constants (SEC 2 version 2, section 2.4.1): y² = x³ + 7 over p, base point g of order n.
type secp struct{ p, n, half, root *big.Int }

func newSecp() *secp {
	p := hexInt("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f")
	n := hexInt("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	root := new(big.Int).Rsh(new(big.Int).Add(p, big.NewInt(1)), 2) // a^root is a square root of a: p is 3 mod 4
	return &secp{p, n, new(big.Int).Rsh(n, 1), root}
}

func (c *secp) base() *jacobian {
	return &jacobian{
		hexInt("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
		hexInt("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"), big.NewInt(1),
	}
}

// jacobian is a point (x/z², y/z³); z = 0 is the point at infinity.
type jacobian struct{ x, y, z *big.Int }

func (c *secp) mul(a, b *big.Int) *big.Int {
	out := new(big.Int).Mul(a, b)
	return out.Mod(out, c.p)
}

func (c *secp) sub(a, b *big.Int) *big.Int {
	out := new(big.Int).Sub(a, b)
	return out.Mod(out, c.p)
}

func (c *secp) times(a *big.Int, k int64) *big.Int { return c.mul(a, big.NewInt(k)) }

// double: dbl-2009-l of the Explicit-Formulas Database, for curves with a = 0.
func (c *secp) double(q *jacobian) *jacobian {
	a, b := c.mul(q.x, q.x), c.mul(q.y, q.y)
	bb := c.mul(b, b)
	d := c.times(c.mul(q.x, b), 4)
	e := c.times(a, 3)
	x := c.sub(c.mul(e, e), c.times(d, 2))
	return &jacobian{x, c.sub(c.mul(e, c.sub(d, x)), c.times(bb, 8)), c.times(c.mul(q.y, q.z), 2)}
}

// add: add-2007-bl without its shortcuts.
func (c *secp) add(q, r *jacobian) *jacobian {
	switch {
	case q.z.Sign() == 0:
		return r
	case r.z.Sign() == 0:
		return q
	}
	qq, rr := c.mul(q.z, q.z), c.mul(r.z, r.z)
	u1, u2 := c.mul(q.x, rr), c.mul(r.x, qq)
	s1, s2 := c.mul(q.y, c.mul(r.z, rr)), c.mul(r.y, c.mul(q.z, qq))
	h, s := c.sub(u2, u1), c.sub(s2, s1)
	if h.Sign() == 0 {
		if s.Sign() == 0 {
			return c.double(q)
		}
		return &jacobian{new(big.Int), new(big.Int), new(big.Int)}
	}
	hh := c.mul(h, h)
	hhh, v := c.mul(h, hh), c.mul(u1, hh)
	x := c.sub(c.sub(c.mul(s, s), hhh), c.times(v, 2))
	return &jacobian{x, c.sub(c.mul(s, c.sub(v, x)), c.mul(s1, hhh)), c.mul(h, c.mul(q.z, r.z))}
}

func (c *secp) scale(q *jacobian, k *big.Int) *jacobian {
	out := &jacobian{new(big.Int), new(big.Int), new(big.Int)}
	for i := k.BitLen() - 1; i >= 0; i-- {
		if out.z.Sign() != 0 {
			out = c.double(out)
		}
		if k.Bit(i) == 1 {
			out = c.add(out, q)
		}
	}
	return out
}

// lift finds the point with this x and this parity of y.
func (c *secp) lift(x *big.Int, odd uint) (*jacobian, bool) {
	if x.Cmp(c.p) >= 0 {
		return nil, false
	}
	square := c.mul(c.mul(x, x), x)
	square.Mod(square.Add(square, big.NewInt(7)), c.p)
	y := new(big.Int).Exp(square, c.root, c.p)
	if c.mul(y, y).Cmp(square) != 0 {
		return nil, false
	}
	if y.Bit(0) != odd {
		y.Sub(c.p, y)
	}
	return &jacobian{x, y, big.NewInt(1)}, true
}

// affine gives x and y, 32 bytes each.
func (c *secp) affine(q *jacobian) (xy [64]byte, ok bool) {
	if q.z.Sign() == 0 {
		return xy, false
	}
	inverse := new(big.Int).ModInverse(q.z, c.p)
	square := c.mul(inverse, inverse)
	c.mul(q.x, square).FillBytes(xy[:32])
	c.mul(q.y, c.mul(square, inverse)).FillBytes(xy[32:])
	return xy, true
}

// recoverSecp256k1 returns the compressed public key (33 bytes) that made a signature r ‖ s ‖ v, v 0 to 3, over a digest. High S
// is refused: a signature has one form.
func recoverSecp256k1(digest [32]byte, signature []byte) ([]byte, error) {
	if len(signature) != 65 || signature[64] > 3 {
		return nil, errors.New("the signature is not r, s and v")
	}
	c := newSecp()
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:64])
	if r.Sign() == 0 || s.Sign() == 0 || r.Cmp(c.n) >= 0 || s.Cmp(c.half) > 0 {
		return nil, errors.New("the signature is out of range or has a high S")
	}
	x := new(big.Int).Set(r)
	if signature[64]&2 != 0 {
		x.Add(x, c.n)
	}
	point, ok := c.lift(x, uint(signature[64]&1))
	if !ok {
		return nil, errors.New("the signature belongs to no point of the curve")
	}
	inverse := new(big.Int).ModInverse(r, c.n)
	u1 := new(big.Int).Mul(new(big.Int).SetBytes(digest[:]), inverse)
	u1.Mod(u1.Neg(u1), c.n)
	u2 := s.Mod(s.Mul(s, inverse), c.n)
	xy, ok := c.affine(c.add(c.scale(c.base(), u1), c.scale(point, u2)))
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
	c := newSecp()
	point, ok := c.lift(new(big.Int).SetBytes(compressed[1:]), uint(compressed[0]&1))
	if !ok {
		return address, false
	}
	xy, ok := c.affine(point)
	sum := keccak256(xy[:])
	return [20]byte(sum[12:]), ok
}

func keccak256(parts ...[]byte) (sum [32]byte) {
	h := sha3.NewLegacyKeccak256()
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(sum[:0])
	return sum
}
