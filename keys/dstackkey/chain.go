package dstackkey

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys"
)

// Public is the public half of a derived secret: 33 bytes compressed for secp256k1, 32 for ed25519.
func Public(secret [32]byte, algorithm string) ([]byte, error) {
	switch algorithm {
	case "secp256k1":
		key, err := keys.Secp256k1Key(secret)
		if err != nil {
			return nil, err
		}
		return key.PubKey().SerializeCompressed(), nil
	case "ed25519":
		return ed25519.NewKeyFromSeed(secret[:]).Public().(ed25519.PublicKey), nil
	}
	return nil, fmt.Errorf("unsupported algorithm %q", algorithm)
}

// ClaimV0 is what the app root signs for a v0 key: keccak(purpose ‖ ":" ‖ lower-case hex of the public key).
func ClaimV0(purpose string, public []byte) [32]byte {
	return keys.Keccak256([]byte(purpose + ":" + hex.EncodeToString(public)))
}

// ClaimV1 is what the app root signs for a v1 key.
func ClaimV1(algorithm, domain string, public []byte) [32]byte {
	return keys.Keccak256(lengthPrefixed("dstack-guest-v1-key-claim", algorithm, domain, string(public)))
}

// ClaimKMS is what the KMS root signs: keccak("dstack-kms-issued:" ‖ app id ‖ compressed app root public key).
func ClaimKMS(appID, appRootPublic []byte) [32]byte {
	return keys.Keccak256([]byte("dstack-kms-issued:"), appID, appRootPublic)
}

// Sign is r ‖ s ‖ v with v 0 to 3, deterministic (RFC 6979) and low-S.
func Sign(secret, digest [32]byte) ([]byte, error) {
	key, err := keys.Secp256k1Key(secret)
	if err != nil {
		return nil, err
	}
	compact := ecdsa.SignCompact(key, digest[:], true) // 31+v ‖ r ‖ s
	return append(compact[1:65:65], compact[0]-31), nil
}

// Recover returns the compressed public key that made a signature of Sign. High-S and odd lengths are refused.
func Recover(digest [32]byte, signature []byte) ([]byte, error) {
	if len(signature) != 65 || signature[64] > 3 {
		return nil, fmt.Errorf("signature of %d bytes is not r, s, v", len(signature))
	}
	var s secp256k1.ModNScalar
	if s.SetByteSlice(signature[32:64]) || s.IsOverHalfOrder() {
		return nil, errors.New("signature has a high S")
	}
	pub, _, err := ecdsa.RecoverCompact(append([]byte{31 + signature[64]}, signature[:64]...), digest[:])
	if err != nil {
		return nil, fmt.Errorf("recovering the signer: %w", err)
	}
	return pub.SerializeCompressed(), nil
}

// VerifyChain checks that kmsRoot (33 bytes, pinned by the reader) vouches for the key of claim (ClaimV0 or ClaimV1) of the
// app with this id: chain[0] by the app root over the claim, chain[1] by the KMS root over the app root.
func VerifyChain(claim [32]byte, chain [][]byte, appID, kmsRoot []byte) error {
	if len(chain) != 2 || len(chain[1]) == 0 {
		return errors.New("key chain has no signature of a KMS")
	}
	appRoot, err := Recover(claim, chain[0])
	if err != nil {
		return fmt.Errorf("app root's signature: %w", err)
	}
	signer, err := Recover(ClaimKMS(appID, appRoot), chain[1])
	if err != nil {
		return fmt.Errorf("KMS root's signature: %w", err)
	}
	if !bytes.Equal(signer, kmsRoot) {
		return fmt.Errorf("key chain ends at %x, the pinned KMS root is %x", signer, kmsRoot)
	}
	return nil
}

// Verify checks a claim of an Evidence document against a pinned KMS root.
func Verify(c evidence.KeyClaim, appID, kmsRoot []byte) error {
	var claim [32]byte
	switch c.API {
	case "dstack/v0":
		claim = ClaimV0(c.Purpose, c.PublicKey)
	case "dstack/v1":
		claim = ClaimV1(c.Algorithm, c.Path, c.PublicKey)
	default:
		return fmt.Errorf("key chain of unknown form %q", c.API)
	}
	var chain [][]byte
	for _, link := range c.Chain {
		chain = append(chain, link)
	}
	return VerifyChain(claim, chain, appID, kmsRoot)
}
