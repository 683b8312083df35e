package sealedenv

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"golang.org/x/crypto/sha3"
)

// TestUpstreamVector opens the ciphertext of the facts on dstack, section 8.3.
func TestUpstreamVector(t *testing.T) {
	secret, _ := hex.DecodeString("7c282bf94b35dc47801dc953bfa0896fc2bd313381d3e8eca4e42f6536d2a96f")
	sealed, _ := hex.DecodeString("0bd18749612f4c8b9dd583c7d6a646b90abd34e3c731a7708d0caf9039095641e1f0948e775f0b7351788db7f246d51806954626dcccb6a60d64665ca3715c6bef75616cab476d27bba04080361200d6a58cec")
	key, err := ecdh.X25519().NewPrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	vars, err := Open(key, sealed)
	if err != nil || len(vars) != 1 || vars[0] != (Variable{}) {
		t.Errorf("%v, %v", vars, err)
	}
}

func TestSealOpens(t *testing.T) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	want := []Variable{{"OPENAI_API_KEY", "sk-<&>"}, {"名", "値"}}
	sealed, err := Seal([32]byte(key.PublicKey().Bytes()), want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Open(key, sealed)
	if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%v, %v", got, err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := Open(key, bad); err == nil {
			t.Fatalf("byte %d changed, still opens", i)
		}
	}
}

func TestKeyMustComeFromThePinnedKMS(t *testing.T) {
	root, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	other, _ := secp256k1.GeneratePrivateKey()
	app := strings.Repeat("ab", 20)
	now := time.Unix(1_790_000_000, 0)
	key := sign(root, app, uint64(now.Unix()), [32]byte{7})
	pinned := root.PubKey().SerializeCompressed()
	if err := key.Check(pinned, app, now); err != nil {
		t.Fatal(err)
	}
	for name, check := range map[string]error{
		"another root":  key.Check(other.PubKey().SerializeCompressed(), app, now),
		"another app":   key.Check(pinned, strings.Repeat("cd", 20), now),
		"old":           key.Check(pinned, app, now.Add(6*time.Minute)),
		"future":        key.Check(pinned, app, now.Add(-2*time.Minute)),
		"swapped key":   PublicKey{Key: [32]byte{8}, SignatureV1: key.SignatureV1, Timestamp: key.Timestamp}.Check(pinned, app, now),
		"no signature":  PublicKey{Key: key.Key, Timestamp: key.Timestamp}.Check(pinned, app, now),
		"not an app id": key.Check(pinned, "xyz", now),
	} {
		if check == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func sign(root *secp256k1.PrivateKey, app string, at uint64, key [32]byte) PublicKey {
	id, _ := hex.DecodeString(app)
	text := append([]byte("dstack-env-encrypt-pubkey:"), id...)
	text = binary.BigEndian.AppendUint64(text, at)
	text = append(text, key[:]...)
	h := sha3.NewLegacyKeccak256()
	h.Write(text)
	compact := ecdsa.SignCompact(root, h.Sum(nil), true)
	return PublicKey{Key: key, Timestamp: at, SignatureV1: append(compact[1:], compact[0]-31)}
}
