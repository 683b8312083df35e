// Package envelope wraps one random data key in several slots, so that losing one way to it loses nothing.
//
// Under Gramine both sealing keys change with every microcode update (facts: Gramine asks for the key with the current CPUSVN and
// cannot ask for an older one), so data sealed under them directly would be lost. The data key is therefore random, and every slot
// holds it sealed under another key: the enclave's sealing keys, a provisioned key, an operator's recovery key (off by default).
//
// It trusts the slot keys and AES-256-GCM; the file itself may be anybody's. A host can delete it or put an old one back, which
// opens the same data key: rollback is caught by the log, not here. Who holds a slot key can read the data, so Kinds() belongs into
// the boot statement's custody.
//
// Format "teapot/envelope/v1": docs/formats/envelope.md.
package envelope

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

const format = "teapot/envelope/v1"

// maxSlots and maxFile bound what is read from the host.
const (
	maxSlots = 16
	maxFile  = 64 << 10
)

// Kind names who can open a slot; the words are those of the boot statement's custody.
type Kind string

// Kinds of slots.
const (
	MRENCLAVE   Kind = "mrenclave"   // this exact build on this CPU and microcode
	MRSIGNER    Kind = "mrsigner"    // any build of the same signer on this CPU and microcode
	Provisioned Kind = "provisioned" // a key delivered over an attested channel
	Operator    Kind = "operator"    // a recovery key a person holds: shows in custody
)

// ErrNoSlot says that none of the given keys opens a slot.
var ErrNoSlot = errors.New("no slot of the envelope opens with the keys at hand")

// Key is one way to the data key: 16 or more secret bytes and who holds them.
type Key struct {
	Kind   Kind
	Secret []byte
}

type file struct {
	Type  string `json:"type"`
	Slots []slot `json:"slots"`
}

type slot struct {
	Kind   Kind   `json:"kind"`
	Sealed []byte `json:"sealed"` // 12-byte nonce ‖ AES-256-GCM(data key), AAD = type ‖ 0 ‖ kind
}

// New makes a random 32-byte data key and its envelope with one slot for each key.
func New(keys []Key) (dataKey, envelope []byte, err error) {
	dataKey = make([]byte, 32)
	_, _ = rand.Read(dataKey) // never fails (crypto/rand)
	envelope, err = Seal(dataKey, keys)
	return dataKey, envelope, err
}

// Seal wraps dataKey anew for exactly these keys. Call it at every start: slots of keys no longer held disappear, and slots that
// a microcode update closed come back.
func Seal(dataKey []byte, keys []Key) ([]byte, error) {
	if len(keys) == 0 || len(keys) > maxSlots {
		return nil, fmt.Errorf("an envelope needs 1 to %d keys, got %d", maxSlots, len(keys))
	}
	f := file{Type: format}
	for _, k := range keys {
		aead, err := k.aead()
		if err != nil {
			return nil, err
		}
		nonce := make([]byte, aead.NonceSize())
		_, _ = rand.Read(nonce) // never fails (crypto/rand)
		f.Slots = append(f.Slots, slot{Kind: k.Kind, Sealed: aead.Seal(nonce, nonce, dataKey, k.Kind.aad())})
	}
	return json.Marshal(f)
}

// Open returns the data key and the kind of the slot that opened. ErrNoSlot when none does.
func Open(envelope []byte, keys []Key) ([]byte, Kind, error) {
	f, err := parse(envelope)
	if err != nil {
		return nil, "", err
	}
	for _, k := range keys {
		aead, err := k.aead()
		if err != nil {
			return nil, "", err
		}
		for _, s := range f.Slots {
			if s.Kind != k.Kind || len(s.Sealed) < aead.NonceSize() {
				continue
			}
			n := aead.NonceSize()
			if dataKey, err := aead.Open(nil, s.Sealed[:n], s.Sealed[n:], k.Kind.aad()); err == nil && len(dataKey) == 32 {
				return dataKey, k.Kind, nil
			}
		}
	}
	return nil, "", ErrNoSlot
}

// Kinds lists who can open the envelope, sorted, for the custody of the boot statement.
func Kinds(envelope []byte) ([]Kind, error) {
	f, err := parse(envelope)
	if err != nil {
		return nil, err
	}
	var kinds []Kind
	for _, s := range f.Slots {
		kinds = append(kinds, s.Kind)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds), nil
}

func parse(envelope []byte) (file, error) {
	var f file
	if len(envelope) > maxFile {
		return f, fmt.Errorf("envelope: %d bytes, at most %d", len(envelope), maxFile)
	}
	if err := json.Unmarshal(envelope, &f); err != nil {
		return f, fmt.Errorf("envelope: %w", err)
	}
	if f.Type != format {
		return f, fmt.Errorf("envelope: type %q, want %q", f.Type, format)
	}
	if len(f.Slots) == 0 || len(f.Slots) > maxSlots {
		return f, fmt.Errorf("envelope: %d slots, want 1 to %d", len(f.Slots), maxSlots)
	}
	return f, nil
}

func (k Kind) aad() []byte { return append([]byte(format+"\x00"), k...) }

func (k Key) aead() (cipher.AEAD, error) {
	if len(k.Secret) < 16 {
		return nil, fmt.Errorf("envelope: the %s key has %d bytes, at least 16 wanted", k.Kind, len(k.Secret))
	}
	key, err := hkdf.Key(sha256.New, k.Secret, nil, format+"/"+string(k.Kind), 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
