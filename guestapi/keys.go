package guestapi

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	k256 "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Keys is where callers' keys and certificates come from: Root computes them, attest/dstack forwards to the real guest agent.
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

// Root derives everything from an application's root keys as a guest agent does (guest-api-v0.md, guest-api-v1.md).
type Root struct {
	app       *secp256k1.PrivateKey
	appSecret []byte
	kmsLink   []byte // signature of the KMS over the app's public key, empty without KMS
	issuer    issuer
}

// NewRoot takes the app's secp256k1 root (32 bytes), the KMS' signature over it (65 bytes or none) and the CA that signs certificates.
func NewRoot(appRoot, kmsSignature []byte, ca CA) (*Root, error) {
	if len(appRoot) != 32 || len(kmsSignature) != 65 && len(kmsSignature) != 0 {
		return nil, fmt.Errorf("app root key has %d bytes, want 32; its KMS signature %d, want 65 or none", len(appRoot), len(kmsSignature))
	}
	var scalar secp256k1.ModNScalar
	if scalar.SetByteSlice(appRoot) || scalar.IsZero() {
		return nil, errors.New("the app root key is not a secp256k1 scalar")
	}
	issuer, err := newIssuer(ca)
	if err != nil {
		return nil, err
	}
	return &Root{app: secp256k1.NewPrivateKey(&scalar), appSecret: appRoot, kmsLink: kmsSignature, issuer: issuer}, nil
}

// Secret is HKDF-SHA256(salt "RATLS", ikm app root, info path).
func (r *Root) Secret(_ context.Context, path string) ([32]byte, error) {
	return derive(r.appSecret, "RATLS", path)
}

// GetKey signs keccak(purpose ‖ ":" ‖ hex(public key)) with the app root. Neither purpose nor algorithm enters the derivation.
func (r *Root) GetKey(ctx context.Context, path, purpose, algorithm string) (Key, error) {
	secret, err := r.Secret(ctx, path)
	if err != nil {
		return Key{}, err
	}
	key, err := keyOf(secret, algorithm)
	if err != nil {
		return Key{}, err
	}
	claim := purpose + ":" + hex.EncodeToString(key.Public)
	key.Chain = [][]byte{signRecoverable(r.app, keccakSum([]byte(claim), 32)), r.kmsLink}
	return key, nil
}

// GetKeyV1 binds domain and algorithm with length prefixes, in the derivation and in the claim.
func (r *Root) GetKeyV1(_ context.Context, domain, algorithm string) (Key, error) {
	secret, err := derive(r.appSecret, "dstack-guest-v1", lengthPrefixed("dstack-guest-v1-key", algorithm, domain))
	if err != nil {
		return Key{}, err
	}
	key, err := keyOf(secret, algorithm)
	if err != nil {
		return Key{}, err
	}
	claim := lengthPrefixed("dstack-guest-v1-key-claim", algorithm, domain, string(key.Public))
	key.Chain = [][]byte{signRecoverable(r.app, keccakSum([]byte(claim), 32)), r.kmsLink}
	return key, nil
}

// Certify signs with the root's CA.
func (r *Root) Certify(_ context.Context, pub *ecdsa.PublicKey, request CertRequest) ([]string, error) {
	return r.issuer.issue(pub, request)
}

// KMSLink signs an app root's public key as a KMS root does: keccak("dstack-kms-issued:" ‖ app id ‖ compressed public key).
func KMSLink(kmsRoot *secp256k1.PrivateKey, appID, appRoot []byte) []byte {
	claim := append([]byte("dstack-kms-issued:"), appID...)
	claim = append(claim, secp256k1.PrivKeyFromBytes(appRoot).PubKey().SerializeCompressed()...)
	return signRecoverable(kmsRoot, keccakSum(claim, 32))
}

func derive(ikm []byte, salt, info string) (out [32]byte, err error) {
	okm, err := hkdf.Key(sha256.New, ikm, []byte(salt), info, 32)
	if err != nil {
		return out, fmt.Errorf("deriving a key: %w", err)
	}
	return [32]byte(okm), nil
}

func lengthPrefixed(parts ...string) string {
	var out []byte
	for _, p := range parts {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(p))), p...)
	}
	return string(out)
}

func keyOf(secret [32]byte, algorithm string) (Key, error) {
	switch algorithm {
	case "secp256k1":
		priv, err := k256Scalar(secret)
		if err != nil {
			return Key{}, err
		}
		return Key{Secret: secret, Public: priv.PubKey().SerializeCompressed()}, nil
	case "ed25519":
		pub := ed25519.NewKeyFromSeed(secret[:]).Public().(ed25519.PublicKey)
		return Key{Secret: secret, Public: pub}, nil
	}
	return Key{}, errors.New("Unsupported algorithm")
}

func k256Scalar(secret [32]byte) (*secp256k1.PrivateKey, error) {
	var scalar secp256k1.ModNScalar
	if scalar.SetBytes(&secret) != 0 || scalar.IsZero() {
		return nil, errors.New("the derived bytes are not a secp256k1 scalar; choose another path")
	}
	return secp256k1.NewPrivateKey(&scalar), nil
}

// p256Key reads 32 bytes as a P-256 scalar; out of range is an error, upstream does not retry either.
func p256Key(secret [32]byte) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret[:])
	if err != nil {
		return nil, fmt.Errorf("the derived bytes are not a P-256 scalar; choose another path: %w", err)
	}
	return key, nil
}

// signRecoverable is r‖s‖v with v in 0..3, RFC 6979 and low-S.
func signRecoverable(key *secp256k1.PrivateKey, digest []byte) []byte {
	compact := k256.SignCompact(key, digest, true) // 27+4+v ‖ r ‖ s
	return append(compact[1:65:65], compact[0]-31)
}
