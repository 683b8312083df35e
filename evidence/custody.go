package evidence

import (
	"fmt"
	"strings"
)

// Custody says who else, besides this TEE, could derive a key.
type Custody string

// The words of custody. Everything but ThisStart, MRENCLAVE and a pinned KMS fails "keys exist only in the TEE".
const (
	ThisStart     Custody = "this-start"     // random, in memory of this start only
	MRENCLAVE     Custody = "mrenclave"      // SGX sealing key of exactly this code on this CPU
	LocalProvider Custody = "local-provider" // dstack's local SGX key provider on the same machine
	Operator      Custody = "operator"       // somebody who runs the machine holds the root (simulator, operator slot)
	PublicSeed    Custody = "public-seed"    // everybody can derive them: a published or given seed
)

// MRSIGNER is the custody of an SGX sealing key that any code of the same signer can get.
func MRSIGNER(signer string) Custody { return Custody("mrsigner:" + signer) }

// KMS is the custody of keys that a key management service derives: its root public key, the app id it serves and
// who may upgrade the code that gets the keys.
func KMS(rootKey, appID, upgrade string) Custody {
	return Custody("kms:" + rootKey + "," + appID + "," + upgrade)
}

// KMSParts splits the custody of a KMS; ok is false for every other custody.
func (c Custody) KMSParts() (rootKey, appID, upgrade string, ok bool) {
	rest, ok := strings.CutPrefix(string(c), "kms:")
	parts := strings.Split(rest, ",")
	if !ok || len(parts) != 3 {
		return "", "", "", false
	}
	return parts[0], parts[1], parts[2], true
}

func (c Custody) check() error {
	switch c {
	case ThisStart, MRENCLAVE, LocalProvider, Operator, PublicSeed:
		return nil
	}
	if signer, ok := strings.CutPrefix(string(c), "mrsigner:"); ok && lowerHex(signer, 64) {
		return nil
	}
	if root, app, upgrade, ok := c.KMSParts(); ok && root != "" && app != "" && upgrade != "" {
		return nil
	}
	return fmt.Errorf("unknown custody %q", c)
}

// OnlyTEE reports whether nobody outside this TEE could derive the key. A KMS is not: the reader must pin it.
func (c Custody) OnlyTEE() bool { return c == ThisStart || c == MRENCLAVE }

// KeyCustody is the custody of each kind of key that lives longer than a start.
type KeyCustody struct {
	Storage Custody `json:"storage"`
	Log     Custody `json:"log"`
	Wallet  Custody `json:"wallet"`
}

func (k KeyCustody) check() error {
	for _, c := range []Custody{k.Storage, k.Log, k.Wallet} {
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

func lowerHex(s string, n int) bool {
	if len(s) != n {
		return false
	}
	for _, r := range s {
		if !strings.ContainsRune("0123456789abcdef", r) {
			return false
		}
	}
	return true
}
