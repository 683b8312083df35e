package evidence

import "fmt"

// RecoveryType is the type of the statement by which an enclave whose sealing keys changed asks for its data key.
const RecoveryType = "teapot/recovery/v1"

// kemRecovery is MLKEM768X25519 (draft-ietf-hpke-pq), with HKDF-SHA256 and AES-256-GCM: the answer crosses the host's disk.
const kemRecovery, kdfRecovery, aeadRecovery = 0x647a, 1, 2

// Recovery names the key to which the data key may be sealed. The private half lies in the enclave's memory and nowhere else.
type Recovery struct {
	Type     string   `json:"type"`     // RecoveryType; Marshal sets it
	Time     uint64   `json:"time"`     // host's clock, milliseconds since 1970
	Software Software `json:"software"` //
	Operator Digest   `json:"operator"` // SHA-256 of the public key of the operator whose answer this enclave takes, from measured input
	Envelope Digest   `json:"envelope"` // SHA-256 of the exact envelope that did not open
	Key      HPKEKey  `json:"key"`      // MLKEM768X25519, made for this request
}

// ParseRecovery reads the exact bytes of a recovery statement.
func ParseRecovery(raw []byte) (*Recovery, error) {
	r := new(Recovery)
	if err := decode(raw, RecoveryType, r); err != nil {
		return nil, err
	}
	return r, nil
}

// Marshal returns the exact bytes. It sets Type.
func (r Recovery) Marshal() ([]byte, error) {
	r.Type = RecoveryType
	return marshal(RecoveryType, r)
}

func (r Recovery) check() error {
	if r.Type != RecoveryType {
		return fmt.Errorf("type %q, want %q", r.Type, RecoveryType)
	}
	if r.Time > maxSafe {
		return fmt.Errorf("time too large")
	}
	if k := r.Key; k.ID != 0 || k.KEM != kemRecovery || k.KDF != kdfRecovery || k.AEAD != aeadRecovery || len(k.Public) != 1216 {
		return fmt.Errorf("key %d of suite %#x/%#x/%#x with %d bytes, want 0 of %#x/%#x/%#x with 1216", k.ID, k.KEM, k.KDF, k.AEAD, len(k.Public), kemRecovery, kdfRecovery, aeadRecovery)
	}
	return nil
}
