// Package sealedenv seals environment variables to a dstack app and checks that the key to seal to comes from the KMS expected.
//
// Sealing gives confidentiality only: anybody can seal another environment to the same public key. So whoever renders the app puts
// a launch token's hash into the measured compose file and the token into the sealed environment (package appcompose), and the
// running program refuses an environment without it. It trusts the KMS's secp256k1 root key that the caller pins.
// Source: facts on dstack, sections 7.1 and 8.3.
package sealedenv

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"golang.org/x/crypto/sha3"
)

// How old or how far in the future a signed key may be.
const (
	maxAge  = 5 * time.Minute
	maxSkew = time.Minute
)

// Variable is one name and its value.
type Variable struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Names returns the names of variables, without their values.
func Names(vars []Variable) []string {
	names := make([]string, len(vars))
	for i, v := range vars {
		names[i] = v.Key
	}
	return names
}

// Seal encrypts the variables to an X25519 public key: ephemeral key (32) ‖ IV (12) ‖ AES-256-GCM.
func Seal(recipient [32]byte, vars []Variable) ([]byte, error) {
	plain, err := json.Marshal(struct {
		Env []Variable `json:"env"`
	}{vars})
	if err != nil {
		return nil, err
	}
	public, err := ecdh.X25519().NewPublicKey(recipient[:])
	if err != nil {
		return nil, fmt.Errorf("the app's env key: %w", err)
	}
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	secret, err := ephemeral.ECDH(public)
	if err != nil {
		return nil, fmt.Errorf("the app's env key: %w", err)
	}
	aead, err := gcm(secret)
	if err != nil {
		return nil, err
	}
	iv := make([]byte, aead.NonceSize())
	_, _ = rand.Read(iv) // never fails (crypto/rand)
	return aead.Seal(append(ephemeral.PublicKey().Bytes(), iv...), iv, plain, nil), nil
}

// Open decrypts what Seal made; it serves tests and the self check before an upload.
func Open(secret *ecdh.PrivateKey, sealed []byte) ([]Variable, error) {
	if len(sealed) < 32+12+16 {
		return nil, errors.New("a sealed environment is at least 60 bytes")
	}
	public, err := ecdh.X25519().NewPublicKey(sealed[:32])
	if err != nil {
		return nil, err
	}
	shared, err := secret.ECDH(public)
	if err != nil {
		return nil, err
	}
	aead, err := gcm(shared)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, sealed[32:44], sealed[44:], nil)
	if err != nil {
		return nil, errors.New("the environment was sealed to another key or changed")
	}
	return parse(plain)
}

// parse reads {"env":[…]}, or the bare list of upstream's own test vector.
func parse(plain []byte) ([]Variable, error) {
	var list []Variable
	if json.Unmarshal(plain, &list) == nil {
		return list, nil
	}
	var doc struct {
		Env []Variable `json:"env"`
	}
	err := json.Unmarshal(plain, &doc)
	return doc.Env, err
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// PublicKey is the KMS's answer to GetAppEnvEncryptPubKey.
type PublicKey struct {
	Key         [32]byte
	SignatureV1 []byte // r ‖ s ‖ v over the timestamped text
	Timestamp   uint64 // seconds since 1970
}

// Check verifies that the KMS root signed this key for this app recently. root is the pinned 33-byte compressed secp256k1 key.
func (p PublicKey) Check(root []byte, appID string, now time.Time) error {
	app, err := hex.DecodeString(appID)
	if err != nil || len(app) != 20 {
		return fmt.Errorf("app id %q: 40 hex digits wanted", appID)
	}
	signed := time.Unix(int64(min(p.Timestamp, 1<<40)), 0)
	if age := now.Sub(signed); age > maxAge || age < -maxSkew {
		return fmt.Errorf("the KMS signed the env key at %s, more than %s ago or in the future; ask again", signed.UTC().Format(time.RFC3339), maxAge)
	}
	text := append([]byte("dstack-env-encrypt-pubkey:"), app...)
	text = binary.BigEndian.AppendUint64(text, p.Timestamp)
	text = append(text, p.Key[:]...)
	got, err := recoverKey(text, p.SignatureV1)
	if err != nil {
		return err
	}
	if want := hex.EncodeToString(root); hex.EncodeToString(got) != want {
		return fmt.Errorf("the env key was signed by %x, not by the KMS root %s: somebody may be swapping the key; nothing was sealed", got, want)
	}
	return nil
}

// recoverKey returns the compressed key that made an r‖s‖v signature (v 0..3) over Keccak-256 of text.
func recoverKey(text, sig []byte) ([]byte, error) {
	if len(sig) != 65 || sig[64] > 3 {
		return nil, errors.New("the KMS's signature over the env key is not 65 bytes with a recovery id of 0 to 3")
	}
	var s secp256k1.ModNScalar
	if s.SetByteSlice(sig[32:64]) || s.IsOverHalfOrder() {
		return nil, errors.New("the KMS's signature over the env key is not in low-S form")
	}
	h := sha3.NewLegacyKeccak256()
	h.Write(text)
	compact := append([]byte{27 + 4 + sig[64]}, sig[:64]...)
	key, _, err := ecdsa.RecoverCompact(compact, h.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("the KMS's signature over the env key: %w", err)
	}
	return key.SerializeCompressed(), nil
}
