package verify_test

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/verify"
)

func TestKeyChain(t *testing.T) {
	p, other := begin(t, t.TempDir()), begin(t, t.TempDir())
	pin := hex.EncodeToString(p.sim.KMSRoot())
	document, err := p.Evidence().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if o, err := verify.Observe(document); err != nil || o.KMSRoot != pin {
		t.Errorf("observed root %q, %v", o.KMSRoot, err)
	}
	for name, c := range map[string]struct {
		change func(e *evidence.Evidence)
		roots  []string
		want   appraisal.Outcome
		exit   int
	}{
		"no pin":                            {want: appraisal.NotChecked},
		"the right pin":                     {roots: []string{pin}, want: appraisal.Passed},
		"one of two pins":                   {roots: []string{hex.EncodeToString(other.sim.KMSRoot()), pin}, want: appraisal.Passed},
		"another pin":                       {roots: []string{hex.EncodeToString(other.sim.KMSRoot())}, want: appraisal.Failed, exit: 1},
		"no chain, no pin":                  {change: func(e *evidence.Evidence) { e.KeyChain = nil }, want: appraisal.NotChecked},
		"no chain, but a pin":               {change: func(e *evidence.Evidence) { e.KeyChain = nil }, roots: []string{pin}, want: appraisal.NotChecked, exit: 1},
		"certificates only":                 {change: func(e *evidence.Evidence) { e.KeyChain[0].API, e.KeyChain = "tappd/0.3", e.KeyChain[:1] }, want: appraisal.NotChecked},
		"without a service":                 {change: func(e *evidence.Evidence) { e.KeyChain[0].Chain[1], e.KeyChain = nil, e.KeyChain[:1] }, want: appraisal.NotChecked},
		"no log that names the app, no pin": {change: func(e *evidence.Evidence) { e.EventLog = nil }, want: appraisal.NotChecked},
		"a key of nobody":                   {change: func(e *evidence.Evidence) { e.KeyChain[0].PublicKey[0] ^= 1 }, want: appraisal.Failed, exit: 1},
		"a wallet's chain for the log":      {change: func(e *evidence.Evidence) { e.KeyChain[0].Chain = e.KeyChain[1].Chain }, want: appraisal.Failed, exit: 1},
		"another service's signature": {change: func(e *evidence.Evidence) {
			e.KeyChain[0].Chain[1] = other.Evidence().KeyChain[0].Chain[1]
		}, want: appraisal.Failed, exit: 1},
		"no chain for the log, but a pin": {change: func(e *evidence.Evidence) { e.KeyChain = e.KeyChain[1:] }, roots: []string{pin}, want: appraisal.NotChecked, exit: 1},
		"no chain for a wallet, no pin":   {change: func(e *evidence.Evidence) { e.KeyChain = e.KeyChain[:2] }, want: appraisal.NotChecked},
		"dstack before 0.5.7":             {change: func(e *evidence.Evidence) { e.KeyChain = e.KeyChain[1:2] }, roots: []string{pin}, want: appraisal.Passed},
		"one chain twice": {change: func(e *evidence.Evidence) {
			e.KeyChain = append(e.KeyChain, e.KeyChain[0])
		}, roots: []string{pin}, want: appraisal.Failed, exit: 1},
		"a key of any length": {change: func(e *evidence.Evidence) {
			e.KeyChain[1].Algorithm, e.KeyChain[1].PublicKey = "ed25519", bytes.Repeat([]byte{1}, 4<<20)
		}, want: appraisal.Failed, exit: 1},
		"no signature at all": {change: func(e *evidence.Evidence) { e.KeyChain[1].Chain[0] = make([]byte, 65) }, want: appraisal.Failed, exit: 1},
	} {
		document, err := p.Evidence().Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if c.change != nil {
			ev, err := evidence.ParseEvidence(document)
			if err != nil {
				t.Fatal(err)
			}
			c.change(ev)
			if document, err = ev.Marshal(); err != nil {
				t.Fatal(err)
			}
		}
		r, err := verify.Appraise(verify.Input{Target: "x", Kind: verify.KindEvidence, File: document, Verifier: shared}, simulatedWith(c.roots), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Find("custody.chain"); got.Outcome != c.want || got.Detail == "" {
			t.Errorf("%s: %s, want %s: %s", name, got.Outcome, c.want, got.Detail)
		}
		if unmet := c.exit != 0; unmet && r.Exit != 1 {
			t.Errorf("%s: exit %d", name, r.Exit)
		}
	}
}

func simulatedWith(roots []string) verify.Policy {
	p := simulated()
	p.Custody.KMSRoots = roots
	return p
}

func TestKMSRootsAreCompressedKeys(t *testing.T) {
	for _, bad := range []string{"", "02", "04" + "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "zz"} {
		if simulatedWith([]string{bad}).Validate() == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
