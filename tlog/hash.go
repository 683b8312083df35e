package tlog

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// Hash is a SHA-256 digest. The zero Hash means "none" wherever a hash is optional.
type Hash [sha256.Size]byte

// String returns lower-case hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Base64 returns standard base64 with padding, as checkpoints carry it.
func (h Hash) Base64() string { return base64.StdEncoding.EncodeToString(h[:]) }

// IsZero says whether h is the zero Hash.
func (h Hash) IsZero() bool { return h == Hash{} }

// MarshalText writes lower-case hex.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 64 lower-case hex digits.
func (h *Hash) UnmarshalText(b []byte) error {
	raw, err := hex.DecodeString(string(b))
	if err != nil || len(raw) != len(h) || hex.EncodeToString(raw) != string(b) {
		return errors.New("hash: want 64 lower-case hex digits")
	}
	copy(h[:], raw)
	return nil
}

// ParseHashBase64 reads the strict base64 of 32 bytes.
func ParseHashBase64(s string) (Hash, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) != sha256.Size || len(s) != 44 {
		return Hash{}, errors.New("hash: want 44 characters of standard base64")
	}
	return Hash(raw), nil
}

// RecordHash returns the tree's hash of one leaf: SHA-256(0x00 ‖ leaf). RFC 6962 §2.1.
func RecordHash(leaf []byte) Hash {
	if len(leaf) < 1023 {
		var buf [1024]byte
		return sha256.Sum256(append(append(buf[:0], 0), leaf...))
	}
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(leaf)
	var out Hash
	h.Sum(out[:0])
	return out
}

// NodeHash returns the tree's hash of two subtrees: SHA-256(0x01 ‖ left ‖ right). RFC 6962 §2.1.
func NodeHash(left, right Hash) Hash {
	var buf [1 + 2*sha256.Size]byte
	buf[0] = 1
	copy(buf[1:], left[:])
	copy(buf[1+sha256.Size:], right[:])
	return sha256.Sum256(buf[:])
}

// EmptyRoot returns the root of the tree without leaves: SHA-256("").
func EmptyRoot() Hash { return sha256.Sum256(nil) }

// SaltSize is the number of random bytes that open every addendum.
const SaltSize = 32

// NewAddendum returns salt ‖ disclosed, the salt read from random (the TEE's generator). The caller of an API never chooses it.
func NewAddendum(random io.Reader, disclosed []byte) ([]byte, error) {
	addendum := make([]byte, SaltSize, SaltSize+len(disclosed))
	if _, err := io.ReadFull(random, addendum); err != nil {
		return nil, fmt.Errorf("reading salt: %w", err)
	}
	return append(addendum, disclosed...), nil
}

// Commit returns the leaf's commitment to an addendum: its SHA-256. An addendum shorter than its salt commits to nothing: the
// zero Hash comes back, which no leaf can carry.
func Commit(addendum []byte) Hash {
	if len(addendum) < SaltSize {
		return Hash{}
	}
	return sha256.Sum256(addendum)
}

// Opens says whether addendum is what commitment was made from.
func Opens(commitment Hash, addendum []byte) bool {
	got := Commit(addendum)
	return !got.IsZero() && subtle.ConstantTimeCompare(got[:], commitment[:]) == 1
}
