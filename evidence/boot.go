package evidence

import (
	"bytes"
	"fmt"
	"slices"
)

// BootType is the type of a boot statement.
const BootType = "teapot/boot/v1"

// Platforms is the closed list of Boot.Platform.
func Platforms() []string { return []string{"dstack-tdx", "gramine-sgx", "simulator", "tdx"} }

// Boot is what a process says about itself at its start, and again when its agents change (same BootID and BootKey,
// Number + 1). One quote over it vouches for keys that sign everything else.
type Boot struct {
	Type          string       `json:"type"`          // BootType; Marshal sets it
	BootID        BootID       `json:"boot_id"`       // fresh at each start
	BootKey       PublicKey    `json:"boot_key"`      // fresh at each start; signs this start's checkpoints
	Number        uint64       `json:"number"`        // of the statement within this start, from 0
	Time          uint64       `json:"time"`          // host's clock, milliseconds since 1970
	TLSKey        Bytes        `json:"tls_key"`       // SubjectPublicKeyInfo (DER); empty: no TLS
	HPKEKeys      []HPKEKey    `json:"hpke_keys"`     // sorted by ID
	Software      Software     `json:"software"`      //
	Configuration Digest       `json:"configuration"` // of the exact configuration bytes, without secrets
	Plugins       Digest       `json:"plugins"`       // of the plugin list
	Policies      Policies     `json:"policies"`      //
	Custody       KeyCustody   `json:"custody"`       //
	Unmeasured    []Unmeasured `json:"unmeasured"`    // sorted by name: what the host could have chosen
	Platform      string       `json:"platform"`      // one of Platforms
	Agents        []Digest     `json:"agents"`        // SHA-256 of each agent part, sorted
}

// Software names the program that made the statement.
type Software struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// HPKEKey is a key to which browsers and clients behind proxies seal bodies. Numbers: RFC 9180 §7.
type HPKEKey struct {
	ID     uint64 `json:"id"`
	KEM    uint64 `json:"kem"`
	KDF    uint64 `json:"kdf"`
	AEAD   uint64 `json:"aead"`
	Public Bytes  `json:"public"`
}

// Unmeasured is an input that no measurement covers: the host could have chosen it.
type Unmeasured struct {
	Name   string `json:"name"`
	Detail string `json:"detail"`
}

// ParseBoot reads the exact bytes of a boot statement.
func ParseBoot(raw []byte) (*Boot, error) {
	b := new(Boot)
	if err := decode(raw, BootType, b); err != nil {
		return nil, err
	}
	return b, nil
}

// Marshal returns the exact bytes. It sets Type.
func (b Boot) Marshal() ([]byte, error) {
	b.Type = BootType
	b.HPKEKeys, b.Unmeasured, b.Agents = list(b.HPKEKeys), list(b.Unmeasured), list(b.Agents)
	b.Policies = b.Policies.normal()
	return marshal(BootType, b)
}

func (b Boot) check() error {
	if b.Type != BootType {
		return fmt.Errorf("type %q, want %q", b.Type, BootType)
	}
	if !slices.Contains(Platforms(), b.Platform) {
		return fmt.Errorf("unknown platform %q", b.Platform)
	}
	if b.Number > maxSafe || b.Time > maxSafe {
		return fmt.Errorf("number or time too large")
	}
	if !slices.IsSortedFunc(b.Agents, compareDigests) || len(slices.Compact(slices.Clone(b.Agents))) != len(b.Agents) {
		return fmt.Errorf("agents not sorted, or one twice")
	}
	if !strictlySorted(b.Unmeasured, func(u Unmeasured) string { return u.Name }) {
		return fmt.Errorf("unmeasured not sorted by name, or one twice")
	}
	if err := checkHPKE(b.HPKEKeys); err != nil {
		return err
	}
	if err := b.Policies.check(); err != nil {
		return err
	}
	return b.Custody.check()
}

func checkHPKE(keys []HPKEKey) error {
	for i, k := range keys {
		if i > 0 && keys[i-1].ID >= k.ID {
			return fmt.Errorf("hpke_keys not sorted by id, or one twice")
		}
		if k.ID > 255 || k.KEM > 65535 || k.KDF > 65535 || k.AEAD > 65535 || len(k.Public) == 0 {
			return fmt.Errorf("hpke_keys: key %d out of range", k.ID)
		}
	}
	return nil
}

func compareDigests(a, b Digest) int { return bytes.Compare(a[:], b[:]) }

// SortDigests sorts as Boot.Agents must be.
func SortDigests(d []Digest) { slices.SortFunc(d, compareDigests) }
