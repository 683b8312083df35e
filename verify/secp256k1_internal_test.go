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
