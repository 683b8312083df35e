package guestapi

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"

	"github.com/teapot-tee/teapot/keys/dstackkey"
)

// Keys is where callers' keys and certificates come from: Root computes them, Forward asks the platform's own guest agent.
type Keys interface {
	// Secret is v0's 32 bytes for a path; DeriveKey takes them as a P-256 scalar.
	Secret(ctx context.Context, path string) ([32]byte, error)
	// GetKey is v0: the same bytes with the chain of signatures over purpose and public key. Algorithm is secp256k1 or ed25519.
	GetKey(ctx context.Context, path, purpose, algorithm string) (Key, error)
	// GetKeyV1 is dstack.guest.v1: domain and algorithm both enter the derivation.
	GetKeyV1(ctx context.Context, domain, algorithm string) (Key, error)
	// Certify returns the PEM chain for a P-256 public key, leaf first.
	Certify(ctx context.Context, pub *ecdsa.PublicKey, request CertRequest) ([]string, error)
}

// Key is a derived key: 32 secret bytes, the public key (33 bytes compressed, or 32) and recoverable signatures r‖s‖v, v in 0..3.
type Key struct {
	Secret [32]byte
	Public []byte
	Chain  [][]byte
}

// errAlgorithm is upstream's text, which clients show.
var errAlgorithm = errors.New("Unsupported algorithm")

// Root derives everything from an application's root keys as a guest agent does (guest-api-v0.md, guest-api-v1.md).
type Root struct {
	app     [32]byte
	kmsLink []byte // signature of the KMS over the app's public key, empty without KMS
	issuer  issuer
}

// NewRoot takes the app's secp256k1 root, the KMS' signature over it (65 bytes or none) and the CA that signs certificates.
func NewRoot(app [32]byte, kmsSignature []byte, ca CA) (*Root, error) {
	if len(kmsSignature) != 65 && len(kmsSignature) != 0 {
		return nil, fmt.Errorf("KMS signature of %d bytes, want 65 or none", len(kmsSignature))
	}
	if _, err := dstackkey.Public(app, "secp256k1"); err != nil {
		return nil, fmt.Errorf("app root key: %w", err)
	}
	issuer, err := newIssuer(ca)
	if err != nil {
		return nil, err
	}
	return &Root{app: app, kmsLink: kmsSignature, issuer: issuer}, nil
}

// Secret is HKDF-SHA256(salt "RATLS", ikm app root, info path).
func (r *Root) Secret(_ context.Context, path string) ([32]byte, error) {
	return dstackkey.GetKey(r.app[:], path), nil
}

// GetKey signs keccak(purpose ‖ ":" ‖ hex(public key)) with the app root. Neither purpose nor algorithm enters the derivation.
func (r *Root) GetKey(_ context.Context, path, purpose, algorithm string) (Key, error) {
	return r.chained(dstackkey.GetKey(r.app[:], path), algorithm, func(public []byte) [32]byte {
		return dstackkey.ClaimV0(purpose, public)
	})
}

// GetKeyV1 binds domain and algorithm with length prefixes, in the derivation and in the claim.
func (r *Root) GetKeyV1(_ context.Context, domain, algorithm string) (Key, error) {
	return r.chained(dstackkey.GetKeyV1(r.app[:], algorithm, domain), algorithm, func(public []byte) [32]byte {
		return dstackkey.ClaimV1(algorithm, domain, public)
	})
}

func (r *Root) chained(secret [32]byte, algorithm string, claim func(public []byte) [32]byte) (Key, error) {
	if algorithm != "secp256k1" && algorithm != "ed25519" {
		return Key{}, errAlgorithm
	}
	public, err := dstackkey.Public(secret, algorithm)
	if err != nil {
		return Key{}, fmt.Errorf("deriving a key: %w", err)
	}
	link, err := dstackkey.Sign(r.app, claim(public))
	if err != nil {
		return Key{}, fmt.Errorf("signing the key's claim: %w", err)
	}
	return Key{Secret: secret, Public: public, Chain: [][]byte{link, r.kmsLink}}, nil
}

// Certify signs with the root's CA.
func (r *Root) Certify(_ context.Context, pub *ecdsa.PublicKey, request CertRequest) ([]string, error) {
	return r.issuer.issue(pub, request)
}
