package verify_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/boot"
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

// A file of another agent than those that the policy names is not what the reader asked for.
func TestFileOfAnotherAgentThanNamed(t *testing.T) {
	const second = "e0e10e6f-ff2b-0d4c-8011-1fc1eee7cb32"
	p := begin(t, t.TempDir(), func(c *boot.Config) {
		c.Agents = append(c.Agents, boot.AgentSpec{ID: second, Name: "Second", Character: []byte(`{"name":"Second"}`)})
	})
	_, receipt := p.receipts(t)
	file := p.bundle(t, actionlog.Extract{})
	for id, met := range map[string]bool{eliza: true, second: false} {
		policy := simulated()
		policy.Agents = []verify.Agent{{ID: id}}
		for _, in := range []verify.Input{receiptInput(receipt), {Target: "b", Kind: verify.KindBundle, Log: bytes.NewReader(file), Verifier: shared}} {
			if r := appraise(t, in, policy); (r.Exit == 0) != met {
				t.Errorf("%s under a policy for %s: %s", in.Kind, id, r.Headline)
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

// The age of evidence rests on the host's clock. One that runs ahead must not make evidence that never grows old.
func TestEvidenceFromTheFutureHasNoAge(t *testing.T) {
	p := begin(t, t.TempDir())
	policy := simulated()
	policy.MaxAge.Evidence = 1
	for ahead, want := range map[time.Duration]appraisal.Outcome{0: appraisal.Passed, 5 * time.Minute: appraisal.Passed, time.Hour: appraisal.Failed, -2 * time.Hour: appraisal.Failed} {
		input := verify.Input{Target: "b", Kind: verify.KindBundle, Log: bytes.NewReader(p.bundle(t, actionlog.Extract{})), Verifier: shared}
		r, err := verify.Appraise(input, policy, time.Now().Add(-ahead))
		if err != nil {
			t.Fatal(err)
		}
		got := appraisal.NotChecked
		for _, c := range r.Checks {
			if c.ID == "freshness.age" {
				got = c.Outcome
			}
		}
		if got != want {
			t.Errorf("evidence %s ahead of the reader: %v, want %v", ahead, got, want)
		}
	}
}
