package pki

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"time"
)

const fileType = "teapot/sim-pki/v1"

// file is the persisted form. Keys come from the seed; certificates are kept as they were minted, so that the root
// stays the same even when a later version of Teapot mints differently.
type file struct {
	Type     string    `json:"type"`
	ID       string    `json:"id"`
	Seed     []byte    `json:"seed"`
	Now      time.Time `json:"now"`
	Platform Platform  `json:"platform"`
	Chain    [][]byte  `json:"chain"` // DER: root, platform CA, PCK leaf, TCB signer
}

// Marshal writes the authority with its secret seed: keep the result private.
func (a *Authority) Marshal() ([]byte, error) {
	f := file{fileType, a.id, a.seed, a.now, a.platform, [][]byte{a.Root.DER, a.PlatformCA.DER, a.PCK.DER, a.TCBSigner.DER}}
	out, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("pki: writing authority: %w", err)
	}
	return out, nil
}

// Load reads what Marshal wrote.
func Load(data []byte) (*Authority, error) {
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("pki: reading authority: %w", err)
	}
	if f.Type != fileType || len(f.Seed) < 32 || len(f.Chain) != 4 {
		return nil, fmt.Errorf("pki: reading authority: not a %s document", fileType)
	}
	a := &Authority{id: f.ID, seed: f.Seed, now: f.Now, platform: f.Platform}
	for i, slot := range []struct {
		to    **Certificate
		label string
	}{{&a.Root, "root"}, {&a.PlatformCA, "platform-ca"}, {&a.PCK, "pck"}, {&a.TCBSigner, "tcb-signer"}} {
		c, err := a.restore(f.Chain[i], slot.label)
		if err != nil {
			return nil, err
		}
		*slot.to = c
	}
	return a, a.setUp()
}

func (a *Authority) restore(der []byte, label string) (*Certificate, error) {
	x, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("pki: reading %s certificate: %w", label, err)
	}
	key := a.key(label)
	if !key.PublicKey.Equal(x.PublicKey) {
		return nil, fmt.Errorf("pki: the %s certificate is not for the key that the seed gives", label)
	}
	return &Certificate{DER: der, Key: key, X: x}, nil
}
