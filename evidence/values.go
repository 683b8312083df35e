package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Digest is a SHA-256 hash; JSON: 64 lower-case hex digits.
type Digest [32]byte

// Sum is the digest of exact bytes: the ID of a statement, part, character or evidence document.
func Sum(b []byte) Digest { return sha256.Sum256(b) }

// String returns lower-case hex.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText writes lower-case hex.
func (d Digest) MarshalText() ([]byte, error) { return hexText(d[:]), nil }

// UnmarshalText reads 64 hex digits.
func (d *Digest) UnmarshalText(text []byte) error { return fixedHex(d[:], text) }

// PublicKey is an Ed25519 public key; JSON: 64 lower-case hex digits.
type PublicKey [32]byte

// String returns lower-case hex.
func (k PublicKey) String() string { return hex.EncodeToString(k[:]) }

// MarshalText writes lower-case hex.
func (k PublicKey) MarshalText() ([]byte, error) { return hexText(k[:]), nil }

// UnmarshalText reads 64 hex digits.
func (k *PublicKey) UnmarshalText(text []byte) error { return fixedHex(k[:], text) }

// BootID names one start of a process: 16 random bytes; JSON: 32 lower-case hex digits.
type BootID [16]byte

// String returns lower-case hex.
func (b BootID) String() string { return hex.EncodeToString(b[:]) }

// MarshalText writes lower-case hex.
func (b BootID) MarshalText() ([]byte, error) { return hexText(b[:]), nil }

// UnmarshalText reads 32 hex digits.
func (b *BootID) UnmarshalText(text []byte) error { return fixedHex(b[:], text) }

// Bytes are bytes of any length; JSON: lower-case hex.
type Bytes []byte

// MarshalText writes lower-case hex.
func (b Bytes) MarshalText() ([]byte, error) { return hexText(b), nil }

// UnmarshalText reads hex.
func (b *Bytes) UnmarshalText(text []byte) error {
	out := make([]byte, hex.DecodedLen(len(text)))
	if _, err := hex.Decode(out, text); err != nil {
		return fmt.Errorf("reading hex: %w", err)
	}
	*b = out
	return nil
}

func hexText(b []byte) []byte { return hex.AppendEncode(nil, b) }

func fixedHex(dst, text []byte) error {
	if len(text) != 2*len(dst) {
		return fmt.Errorf("want %d hex digits, got %d characters", 2*len(dst), len(text))
	}
	if _, err := hex.Decode(dst, text); err != nil {
		return fmt.Errorf("reading hex: %w", err)
	}
	return nil
}
