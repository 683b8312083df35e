// Package envelope wraps one random data key in several slots, so that losing one way to it loses nothing.
//
// Under Gramine both sealing keys change with every microcode update (facts: Gramine asks for the key with the current CPUSVN and
// cannot ask for an older one), so data sealed under them directly would be lost. The data key is therefore random, and every slot
// holds it sealed under another key: the enclave's sealing keys and, off by default, an operator's public key (package operator).
//
// It trusts the slot keys, AES-256-GCM and HPKE; the file itself may be anybody's. A host can delete it or put an old one back, which
// opens the same data key: rollback is caught by the log, not here. Who holds a slot key can read the data: the boot statement's
// custody must say so.
//
// Format "teapot/envelope/v2": docs/formats/envelope.md.
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

	"github.com/teapot-tee/teapot/boot/operator"
)

const format = "teapot/envelope/v2"

// maxSlots and maxFile bound what is read from the host.
const (
	maxSlots = 16
	maxFile  = 64 << 10
)

// Kind names who can open a slot; the words are those of the boot statement's custody.
type Kind string

// Kinds of slots.
const (
	MRENCLAVE Kind = "mrenclave" // this exact build on this CPU and microcode
	MRSIGNER  Kind = "mrsigner"  // any build of the same signer on this CPU and microcode
	Operator  Kind = "operator"  // the person who holds the key to which it is sealed: shows in custody
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
	Sealed []byte `json:"sealed"` // 12-byte nonce ‖ AES-256-GCM(data key), AAD = type ‖ 0 ‖ kind; operator: HPKE, info the same
}

// New makes a random 32-byte data key and its envelope with one slot for each key, and one for the operator where there is one.
func New(keys []Key, recovery *operator.PublicKey) (dataKey, envelope []byte, err error) {
	dataKey = make([]byte, 32)
	_, _ = rand.Read(dataKey) // never fails (crypto/rand)
	envelope, err = Seal(dataKey, keys, recovery)
	return dataKey, envelope, err
}

// Seal wraps dataKey anew for exactly these keys. Call it at every start: slots of keys no longer held disappear, and slots that
// a microcode update closed come back.
func Seal(dataKey []byte, keys []Key, recovery *operator.PublicKey) ([]byte, error) {
	if len(keys) == 0 || len(keys) >= maxSlots {
		return nil, fmt.Errorf("an envelope needs 1 to %d keys, got %d", maxSlots-1, len(keys))
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
	if recovery != nil {
		sealed, err := recovery.Seal(string(Operator.aad()), dataKey)
		if err != nil {
			return nil, err
		}
		f.Slots = append(f.Slots, slot{Kind: Operator, Sealed: sealed})
	}
	return json.Marshal(f)
}

// OpenAsOperator opens the operator's slot, on the operator's machine. ErrNoSlot when there is none for this key.
func OpenAsOperator(envelope []byte, key *operator.SecretKey) ([]byte, error) {
	f, err := parse(envelope)
	if err != nil {
		return nil, err
	}
	for _, s := range f.Slots {
		if s.Kind != Operator {
			continue
		}
		if dataKey, err := key.Open(string(Operator.aad()), s.Sealed); err == nil && len(dataKey) == 32 {
			return dataKey, nil
		}
	}
	return nil, ErrNoSlot
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
	if k.Kind != MRENCLAVE && k.Kind != MRSIGNER {
		return nil, fmt.Errorf("envelope: %q is no sealing key", k.Kind)
	}
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
