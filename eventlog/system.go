package eventlog

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// System is what dstack's own runtime events say about a guest. Only events up to system-ready count: an application can
// add a second app-id after it, and RTMR3 would still replay.
type System struct {
	AppID       []byte // 20 bytes
	ComposeHash []byte // 32 bytes; nil in dstack 0.3.1, which measured UpgradedApp instead
	UpgradedApp []byte // 20 bytes, dstack 0.3.1
	InstanceID  []byte // 20 bytes, or none with no_instance_id
	OSImageHash []byte // 32 bytes; KMS mode of 0.5.6 and later
	RootfsHash  []byte // 0.3
	CACertHash  []byte // 0.3
	MRKMS       []byte // 32 bytes, KMS mode
	KeyProvider KeyProvider
	StorageFS   string
	Scripts     [][]byte // hashes of init scripts (0.6)
	GPUPolicy   []byte
	GPUEvidence []byte
	Ready       bool    // system-ready was seen
	Application []Event // events after system-ready: the application's own claims
}

// KeyProvider says where the guest's keys come from.
type KeyProvider struct {
	Name    string // "none", "kms", "local-sgx", "tpm"; "" when the log has no such event (0.3)
	ID      []byte // kms: SubjectPublicKeyInfo of its root CA; local-sgx: MRENCLAVE
	Payload []byte // exact event payload: mr_system hashes it
}

// ReadSystem reads the system events. Twice the same one, an unknown one or none at all is an error: then the log does not
// say what runs.
func ReadSystem(events []Event) (System, error) {
	var s System
	seen := map[string]bool{}
	for _, e := range events {
		if e.Type != RuntimeType {
			continue
		}
		if s.Ready {
			s.Application = append(s.Application, e)
			continue
		}
		if seen[e.Name] && e.Name != "init-script-hash" {
			return System{}, fmt.Errorf("event %.40q is in the log twice", e.Name)
		}
		seen[e.Name] = true
		if err := s.set(e); err != nil {
			return System{}, fmt.Errorf("event %.40q: %w", e.Name, err)
		}
	}
	if !s.Ready && s.RootfsHash == nil { // 0.3 has rootfs-hash and neither system-ready nor application events
		return System{}, fmt.Errorf("the log has no system-ready event")
	}
	if s.AppID == nil || s.ComposeHash == nil && s.UpgradedApp == nil {
		return System{}, fmt.Errorf("the log has no app-id or compose-hash event")
	}
	return s, nil
}

func (s *System) set(e Event) error {
	fixed := map[string]struct {
		dst *[]byte
		n   int // bytes
	}{
		"app-id": {&s.AppID, 20}, "compose-hash": {&s.ComposeHash, 32}, "upgraded-app-id": {&s.UpgradedApp, 20}, "os-image-hash": {&s.OSImageHash, 32},
		"rootfs-hash": {&s.RootfsHash, len(e.Payload)}, "ca-cert-hash": {&s.CACertHash, 32}, "mr-kms": {&s.MRKMS, 32},
		"gpu-policy-hash": {&s.GPUPolicy, len(e.Payload)}, "gpu-attestation": {&s.GPUEvidence, len(e.Payload)},
	}
	if f, ok := fixed[e.Name]; ok {
		if len(e.Payload) != f.n {
			return fmt.Errorf("payload of %d bytes, want %d", len(e.Payload), f.n)
		}
		*f.dst = slices.Concat([]byte{}, e.Payload) // never nil: nil means not there
		return nil
	}
	switch e.Name {
	case "system-preparing", "boot-mr-done", "system-ready":
		s.Ready = e.Name == "system-ready"
		if len(e.Payload) != 0 {
			return fmt.Errorf("payload of %d bytes, want none", len(e.Payload))
		}
	case "instance-id":
		if len(e.Payload) != 0 && len(e.Payload) != 20 {
			return fmt.Errorf("payload of %d bytes, want 20 or none", len(e.Payload))
		}
		s.InstanceID = e.Payload
	case "storage-fs":
		s.StorageFS = string(e.Payload)
	case "init-script-hash":
		s.Scripts = append(s.Scripts, e.Payload)
	case "key-provider":
		return s.KeyProvider.parse(e.Payload)
	default:
		return fmt.Errorf("unknown system event")
	}
	return nil
}

func (k *KeyProvider) parse(payload []byte) error {
	var p struct {
		Name string `json:"name"`
		ID   string `json:"id"`
	}
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return err
	}
	id, err := hex.DecodeString(p.ID)
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"none", "kms", "local-sgx", "tpm"}, p.Name) {
		return fmt.Errorf("unknown key provider %.40q", p.Name)
	}
	*k = KeyProvider{p.Name, id, payload}
	return nil
}
