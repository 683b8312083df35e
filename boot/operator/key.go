// Package operator gives an enclave its data key back after its sealing keys changed, without showing it to the host.
//
// An operator makes one key on a machine of their own. Its public half is measured input of the enclave: to it every start seals a slot
// of the envelope, and by it the enclave knows whose answer to take. The private half never goes near the host. An enclave that opens
// no slot asks with an attested statement (evidence.Recovery); the operator judges that under a policy, opens the slot and seals the
// data key to the attested key.
//
// It trusts the measured public key and, on the operator's side, the verdict on the request. The host carries every byte and can
// withhold, replay or invent them: it learns nothing, and nothing it makes is taken. The operator can read the data and could answer
// with a key of their own, so custody says "operator".
//
// Formats: docs/formats/envelope.md.
package operator

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/internal/strictjson"
)

// Types of the two key files.
const (
	secretType = "teapot/operator-secret/v1"
	publicType = "teapot/operator-key/v1"
)

const maxFile = 64 << 10

// SecretKey is the operator's: it opens the operator's slot and signs answers.
type SecretKey struct {
	seed [32]byte
	kem  hpke.PrivateKey
	sign ed25519.PrivateKey
}

// PublicKey is measured input of the enclave.
type PublicKey struct {
	kem  hpke.PublicKey
	sign ed25519.PublicKey
}

type secretFile struct {
	Type string         `json:"type"`
	Seed evidence.Bytes `json:"seed"` // 32 random bytes
}

type publicFile struct {
	Type string             `json:"type"`
	Seal evidence.Bytes     `json:"seal"` // MLKEM768X25519 public key, 1216 bytes
	Sign evidence.PublicKey `json:"sign"` // Ed25519
}

// New makes a key.
func New() (*SecretKey, error) {
	var seed [32]byte
	_, _ = rand.Read(seed[:]) // never fails (crypto/rand)
	return fromSeed(seed)
}

func fromSeed(seed [32]byte) (*SecretKey, error) {
	k := &SecretKey{seed: seed}
	ikm, err := hkdf.Key(sha256.New, seed[:], nil, publicType+"/seal", 32)
	if err != nil {
		return nil, err
	}
	if k.kem, err = hpke.MLKEM768X25519().DeriveKeyPair(ikm); err != nil {
		return nil, err
	}
	sign, err := hkdf.Key(sha256.New, seed[:], nil, publicType+"/sign", ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	k.sign = ed25519.NewKeyFromSeed(sign)
	return k, nil
}

// ParseSecret reads the operator's file.
func ParseSecret(raw []byte) (*SecretKey, error) {
	var f secretFile
	if err := parse(raw, &f); err != nil {
		return nil, fmt.Errorf("operator's secret key: %w", err)
	}
	if f.Type != secretType || len(f.Seed) != 32 {
		return nil, fmt.Errorf("operator's secret key: type %q with %d bytes, want %q with 32", f.Type, len(f.Seed), secretType)
	}
	return fromSeed([32]byte(f.Seed))
}

// Marshal writes the operator's file: keep it where the host of the enclave cannot read it.
func (k *SecretKey) Marshal() ([]byte, error) {
	return encode(secretFile{Type: secretType, Seed: k.seed[:]})
}

// Public is the half that the enclave measures.
func (k *SecretKey) Public() *PublicKey {
	return &PublicKey{kem: k.kem.PublicKey(), sign: ed25519.PublicKey(k.sign[32:])}
}

// ParsePublic reads the public file.
func ParsePublic(raw []byte) (*PublicKey, error) {
	var f publicFile
	if err := parse(raw, &f); err != nil {
		return nil, fmt.Errorf("operator's public key: %w", err)
	}
	if f.Type != publicType {
		return nil, fmt.Errorf("operator's public key: type %q, want %q", f.Type, publicType)
	}
	kem, err := hpke.MLKEM768X25519().NewPublicKey(f.Seal)
	if err != nil {
		return nil, fmt.Errorf("operator's public key: %w", err)
	}
	return &PublicKey{kem: kem, sign: f.Sign[:]}, nil
}

// Marshal writes the public file.
func (k *PublicKey) Marshal() ([]byte, error) {
	return encode(publicFile{Type: publicType, Seal: k.kem.Bytes(), Sign: evidence.PublicKey(k.sign)})
}

// Digest names the key: SHA-256 of the sealing key ‖ the signing key.
func (k *PublicKey) Digest() evidence.Digest {
	return evidence.Sum(append(k.kem.Bytes(), k.sign...))
}

// Seal seals a secret to the operator; info says what for. HPKE base mode: encapsulated key (1120 bytes) ‖ ciphertext.
func (k *PublicKey) Seal(info string, secret []byte) ([]byte, error) {
	return hpke.Seal(k.kem, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(info), secret)
}

// Open opens what Seal sealed.
func (k *SecretKey) Open(info string, sealed []byte) ([]byte, error) {
	return hpke.Open(k.kem, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(info), sealed)
}

func parse(raw []byte, v any) error {
	if len(raw) > maxFile {
		return fmt.Errorf("%d bytes, at most %d", len(raw), maxFile)
	}
	if err := strictjson.Check(raw); err != nil {
		return err
	}
	return json.Unmarshal(raw, v)
}

func encode(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	return append(text, '\n'), err
}
