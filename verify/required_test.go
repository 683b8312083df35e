package verify_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/verify"
)

// What a policy requires and a file cannot show is unmet, never skipped.
func TestWhatAFileCannotShowIsUnmet(t *testing.T) {
	p := begin(t, t.TempDir())
	_, receipt := p.receipts(t)
	bare, dated := p.bundle(t, actionlog.Extract{}), p.bundleWithSession(t)
	in := map[string]func() verify.Input{
		"receipt": func() verify.Input { return receiptInput(receipt) },
		"bundle": func() verify.Input {
			return verify.Input{Target: "b", Kind: verify.KindBundle, Log: bytes.NewReader(bare), Verifier: shared}
		},
		"dated bundle": func() verify.Input {
			return verify.Input{Target: "b", Kind: verify.KindBundle, Log: bytes.NewReader(dated), Verifier: shared}
		},
	}
	for name, change := range map[string]func(*verify.Policy){
		"witnesses required": func(p *verify.Policy) { p.Witnesses.Require = true },
		"witness quorum":     func(p *verify.Policy) { p.Witnesses = verify.Witnesses{Quorum: 1, Keys: []string{vkey(1)}} },
		"age of cosignature": func(p *verify.Policy) { p.MaxAge.Checkpoint = 1 },
		"age of file":        func(p *verify.Policy) { p.MaxAge.File = 1 },
	} {
		policy := simulated()
		for _, input := range in {
			wantMet(t, appraise(t, input(), policy))
		}
		change(&policy)
		for kind, input := range in {
			r := appraise(t, input(), policy)
			if met := r.Exit == 0; met != (kind == "dated bundle" && name == "age of file") {
				t.Errorf("%s, %s: exit %d, %s", kind, name, r.Exit, r.Headline)
			}
		}
	}
}

func (p *process) bundleWithSession(t *testing.T) []byte {
	t.Helper()
	in := p.look(t)
	return p.bundle(t, actionlog.Extract{Nonce: in.Nonce, Session: in.Session})
}

// A session quote under another root than the boot quote's is another machine, also where both roots are a simulator's.
func TestSessionOfAnotherRootIsNoticed(t *testing.T) {
	p := begin(t, t.TempDir())
	in := p.look(t)
	other := begin(t, t.TempDir()).look(t)
	in.Session, in.Nonce = other.Session, other.Nonce
	r, err := verify.Appraise(in, simulated(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if c := wantFailed(t, r, "measurements.session"); c.Outcome != appraisal.Failed {
		t.Fatal(c)
	}
}
