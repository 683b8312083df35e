package keys

import (
	"crypto/ed25519"

	"github.com/mr-tron/base58"
)

// Solana is a Solana wallet: an Ed25519 key whose base58 public key is the address.
type Solana struct{ key ed25519.PrivateKey }

// NewSolana makes the wallet of a 32-byte seed.
func NewSolana(seed [32]byte) Solana { return Solana{ed25519.NewKeyFromSeed(seed[:])} }

// Public is the public key, 32 bytes.
func (s Solana) Public() ed25519.PublicKey { return s.key.Public().(ed25519.PublicKey) }

// Address is the base58 public key.
func (s Solana) Address() string { return base58.Encode(s.Public()) }

// Sign signs exactly these bytes, 64 bytes. Only the agent's gate calls it: a Solana transaction is such bytes.
func (s Solana) Sign(message []byte) []byte { return ed25519.Sign(s.key, message) }

// VerifySolana checks a signature against an address.
func VerifySolana(address string, message, signature []byte) bool {
	pub, err := base58.Decode(address)
	return err == nil && len(pub) == ed25519.PublicKeySize && ed25519.Verify(pub, message, signature)
}
