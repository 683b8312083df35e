package guestapi

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	k256 "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/teapot-tee/teapot/keys/dstackkey"
)

// Sign's key is the one of this fixed path and purpose (guest-api-v0.md).
const (
	signingPath    = "vms"
	signingPurpose = "signing"
)

// signingAlgorithm maps a name to the curve; unlike GetKey, the empty name is unsupported.
func signingAlgorithm(name string) (string, error) {
	switch name {
	case "secp256k1", "k256", "secp256k1_prehashed":
		return "secp256k1", nil
	case "ed25519":
		return name, nil
	}
	return "", errAlgorithm
}

// signingKey is Sign's key for an algorithm of the wire.
func (s *Server) signingKey(ctx context.Context, name string) (Key, error) {
	algorithm, err := signingAlgorithm(name)
	if err != nil {
		return Key{}, err
	}
	if s.Keys == nil {
		return Key{}, errNoKeys
	}
	return s.Keys.GetKey(ctx, signingPath, signingPurpose, algorithm)
}

func (s *Server) sign(ctx context.Context, q *signRequest) (any, error) {
	key, err := s.signingKey(ctx, q.Algorithm)
	if err != nil {
		return nil, err
	}
	signature, err := signWith(key.Secret, q.Algorithm, q.Data)
	if err != nil {
		return nil, err
	}
	chain := append([]Hex{signature}, hexes(key.Chain)...)
	return &signReply{Signature: signature, SignatureChain: chain, PublicKey: key.Public}, nil
}

// signWith returns 64 bytes: r‖s over SHA-256(data) or over the 32 bytes given, or an Ed25519 signature of the data.
func signWith(secret [32]byte, algorithm string, data []byte) ([]byte, error) {
	if algorithm == "ed25519" {
		return ed25519.Sign(ed25519.NewKeyFromSeed(secret[:]), data), nil
	}
	digest, err := k256Digest(algorithm, data)
	if err != nil {
		return nil, err
	}
	recoverable, err := dstackkey.Sign(secret, digest)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return recoverable[:64], nil
}

func k256Digest(algorithm string, data []byte) ([32]byte, error) {
	if algorithm != "secp256k1_prehashed" {
		return sha256.Sum256(data), nil
	}
	if len(data) != 32 {
		return [32]byte{}, fmt.Errorf("secp256k1_prehashed signs exactly 32 bytes, got %d", len(data))
	}
	return [32]byte(data), nil
}

// verify: malformed input is an error; a wrong or high-S signature is an answer.
func (s *Server) verify(_ context.Context, q *verifyRequest) (any, error) {
	algorithm, err := signingAlgorithm(q.Algorithm)
	if err != nil {
		return nil, err
	}
	if len(q.Signature) != 64 {
		return nil, fmt.Errorf("signature has %d bytes, want 64", len(q.Signature))
	}
	if algorithm == "ed25519" {
		if len(q.PublicKey) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("public key has %d bytes, want 32", len(q.PublicKey))
		}
		return &verifyReply{Valid: ed25519.Verify(ed25519.PublicKey(q.PublicKey), q.Data, q.Signature)}, nil
	}
	digest, err := k256Digest(q.Algorithm, q.Data)
	if err != nil {
		return nil, err
	}
	pub, err := secp256k1.ParsePubKey(q.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	return &verifyReply{Valid: verifyK256(pub, digest[:], q.Signature)}, nil
}

func verifyK256(pub *secp256k1.PublicKey, digest, signature []byte) bool {
	var r, s secp256k1.ModNScalar
	if r.SetByteSlice(signature[:32]) || s.SetByteSlice(signature[32:]) || s.IsOverHalfOrder() {
		return false
	}
	return k256.NewSignature(&r, &s).Verify(digest, pub)
}
