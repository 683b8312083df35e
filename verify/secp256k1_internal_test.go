package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/keys"
	"github.com/teapot-tee/teapot/keys/dstackkey"
)

// The curve library that signs is the judge of the one that recovers.
func TestRecoveryAgreesWithTheLibrary(t *testing.T) {
	for i := range 24 {
		secret, digest := sha256.Sum256([]byte{1, byte(i)}), sha256.Sum256([]byte{2, byte(i)})
		signature, err := dstackkey.Sign(secret, digest)
		if err != nil {
			t.Fatal(err)
		}
		want, err := dstackkey.Public(secret, "secp256k1")
		if err != nil {
			t.Fatal(err)
		}
		got, err := recoverSecp256k1(digest, signature)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d: %x, %v, want %x", i, got, err, want)
		}
		for _, at := range []int{0, 31, 32, 63, 64} {
			bad := bytes.Clone(signature)
			bad[at] ^= 1
			ours, err := recoverSecp256k1(digest, bad)
			theirs, theirErr := dstackkey.Recover(digest, bad)
			if (err == nil) != (theirErr == nil) || !bytes.Equal(ours, theirs) {
				t.Errorf("%d, byte %d: %x (%v), the library says %x (%v)", i, at, ours, err, theirs, theirErr)
			}
		}
		evm, err := keys.NewEVM(secret)
		if err != nil {
			t.Fatal(err)
		}
		if address, ok := evmAddress(want); !ok || !strings.EqualFold(evm.Address(), "0x"+hex.EncodeToString(address[:])) {
			t.Errorf("address %x, want %s", address, evm.Address())
		}
		solana := keys.NewSolana(secret)
		if public, err := dstackkey.Public(secret, "ed25519"); err != nil || base58(public) != solana.Address() {
			t.Errorf("address %s, want %s", base58(public), solana.Address())
		}
	}
}

// Any r, s, v and digest, not only what a signer makes: r near the ends of its range, r + n below and beyond p, and sums that
// are the point at infinity.
func TestRecoveryAgreesWithTheLibraryOnAnything(t *testing.T) {
	n := new(big.Int).SetBytes(unhex(secpOrder))
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(feC))
	gap := new(big.Int).Sub(p, n) // r below it may stand for r + n
	var numbers []*big.Int
	for _, near := range []*big.Int{new(big.Int), gap, new(big.Int).Rsh(n, 1), n, p} {
		for d := int64(-4); d <= 4; d++ {
			if v := new(big.Int).Add(near, big.NewInt(d)); v.Sign() >= 0 {
				numbers = append(numbers, v)
			}
		}
	}
	for i := range 12 {
		sum := sha256.Sum256([]byte{4, byte(i)})
		numbers = append(numbers, new(big.Int).SetBytes(sum[:]), new(big.Int).Rsh(new(big.Int).SetBytes(sum[:]), 129))
	}
	numbers = append(numbers, new(big.Int).SetBytes(unhex(secpBaseX)))
	accepted := map[byte]int{}
	compare := func(digest [32]byte, r, s *big.Int) {
		var signature [65]byte
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:64])
		for v := range byte(5) {
			signature[64] = v
			ours, err := recoverSecp256k1(digest, signature[:])
			theirs, theirErr := dstackkey.Recover(digest, signature[:])
			if (err == nil) != (theirErr == nil) || !bytes.Equal(ours, theirs) {
				t.Fatalf("digest %x, r %x, s %x, v %d: %x (%v), the library says %x (%v)", digest, r, s, v, ours, err, theirs, theirErr)
			}
			if err == nil {
				accepted[v]++
			}
		}
	}
	for i, r := range numbers {
		for k, s := range numbers {
			compare(sha256.Sum256([]byte{5, byte(i), byte(k)}), r, s)
		}
		compare([32]byte{}, r, big.NewInt(1))
		compare([32]byte(bytes.Repeat([]byte{0xff}, 32)), r, big.NewInt(2))
	}
	base := new(big.Int).SetBytes(unhex(secpBaseX))
	for _, s := range []*big.Int{big.NewInt(1), new(big.Int).Rsh(n, 1)} { // r is G's: s·G − digest·G is nothing at all for digest = ±s
		compare([32]byte(s.FillBytes(make([]byte, 32))), base, s)
		compare([32]byte(new(big.Int).Sub(n, s).FillBytes(make([]byte, 32))), base, s)
	}
	for v := range byte(4) {
		if accepted[v] == 0 {
			t.Errorf("nothing with v = %d was accepted: the test looks at too little", v)
		}
	}
}

// The field against math/big, with the values where carries happen.
func TestFieldAgreesWithMathBig(t *testing.T) {
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(feC))
	values := []*big.Int{big.NewInt(0), big.NewInt(1), big.NewInt(feC), new(big.Int).Sub(p, big.NewInt(1)), new(big.Int).Sub(p, big.NewInt(feC)), new(big.Int).Rsh(p, 1)}
	for i := range 40 {
		sum := sha256.Sum256([]byte{3, byte(i)})
		values = append(values, new(big.Int).Mod(new(big.Int).SetBytes(sum[:]), p))
	}
	from := func(v *big.Int) fe {
		z, ok := feFrom(v.FillBytes(make([]byte, 32)))
		if !ok {
			t.Fatalf("%x is refused", v)
		}
		return z
	}
	same := func(what string, got fe, want *big.Int) {
		t.Helper()
		if b := got.bytes(); new(big.Int).SetBytes(b[:]).Cmp(want) != 0 {
			t.Errorf("%s: %x, want %x", what, b, want)
		}
	}
	for _, a := range values {
		for _, b := range values {
			same("mul", feMul(from(a), from(b)), new(big.Int).Mod(new(big.Int).Mul(a, b), p))
			same("sub", feSub(from(a), from(b)), new(big.Int).Mod(new(big.Int).Sub(a, b), p))
		}
		if a.Sign() != 0 {
			same("inverse", fePow(from(a), unhex(secpInverse)), new(big.Int).ModInverse(a, p))
		}
	}
	if _, ok := feFrom(p.FillBytes(make([]byte, 32))); ok {
		t.Error("p itself is taken")
	}
}

func TestSignaturesOfNobodyAreRefused(t *testing.T) {
	secret, digest := sha256.Sum256([]byte("key")), sha256.Sum256([]byte("text"))
	good, err := dstackkey.Sign(secret, digest)
	if err != nil {
		t.Fatal(err)
	}
	order := new(big.Int).SetBytes(unhex(secpOrder))
	highS := bytes.Clone(good)
	new(big.Int).Sub(order, new(big.Int).SetBytes(good[32:64])).FillBytes(highS[32:64])
	highS[64] ^= 1
	zeroR, zeroS, bigR, oddV := bytes.Clone(good), bytes.Clone(good), bytes.Clone(good), bytes.Clone(good)
	clear(zeroR[:32])
	clear(zeroS[32:64])
	order.FillBytes(bigR[:32])
	oddV[64] = 4
	for name, signature := range map[string][]byte{
		"high S": highS, "r zero": zeroR, "s zero": zeroS, "r = n": bigR, "v = 4": oddV, "short": good[:64], "empty": nil, "long": append(bytes.Clone(good), 0),
	} {
		if key, err := recoverSecp256k1(digest, signature); err == nil {
			t.Errorf("%s: signed by %x", name, key)
		}
	}
	if base58([]byte{0, 0, 1}) != "112" || base58(nil) != "" {
		t.Error("leading zeros are lost")
	}
	if _, ok := evmAddress(append([]byte{2}, bytes.Repeat([]byte{0xff}, 32)...)); ok {
		t.Error("an x beyond the field has an address")
	}
}
