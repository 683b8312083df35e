package verify_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/verify"
)

const eliza = "b850bc30-45f8-0041-a00a-83df46d8555d"

// process is a real start over a real data directory, with a simulator of its own.
type process struct {
	*boot.Process
	sim  *sim.Simulator
	once sync.Once
}

// Close may be called twice here: by the test and at its end.
func (p *process) Close() (err error) {
	p.once.Do(func() { err = p.Process.Close() })
	return err
}

// hardware is a simulator that says it is a dstack TDX guest whose keys nobody else has: with TestingRoot, the only way
// to walk the chain to its affirming end on a machine without a TEE.
type hardware struct{ *sim.Simulator }

func (hardware) Platform() string          { return "dstack-tdx" }
func (hardware) Custody() evidence.Custody { return evidence.ThisStart }

func begin(t testing.TB, dir string, change ...func(*boot.Config)) *process {
	t.Helper()
	s, err := sim.New(sim.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	c := boot.Config{
		Dir: dir, Attester: s, Collateral: s, Software: evidence.Software{Name: "teapot", Version: "test"},
		Policies: boot.WeakestSafe(), Agents: []boot.AgentSpec{{ID: eliza, Name: "Eliza", Character: []byte(`{"name":"Eliza"}`)}},
		Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&c)
	}
	p, err := boot.Start(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	out := &process{Process: p, sim: s}
	t.Cleanup(func() { _ = out.Close() }) // a test that cares closes itself
	return out
}

func (p *process) log(t testing.TB) *actionlog.Log {
	t.Helper()
	a, ok := p.Agent(eliza)
	if !ok {
		t.Fatal("no agent")
	}
	return a.Log
}

// talk appends n conversations: message, reply caused by it.
func (p *process) talk(t testing.TB, n int) {
	t.Helper()
	for i := range n {
		proofs, err := p.log(t).Append(t.Context(), actionlog.Entry{Type: "message", Source: tlog.SourceRuntime, Room: "r", User: "u", MediaType: "text/plain", Content: fmt.Appendf(nil, "hello %d", i)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.log(t).Append(t.Context(), actionlog.Entry{
			Type: "reply", Source: tlog.SourceRuntime, Room: "r", MediaType: "text/plain", Content: []byte("how do you feel about that?"),
			Cause: []uint64{proofs[0].Index}, Visibility: actionlog.VisibilityPublic,
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *process) bundle(t testing.TB, x actionlog.Extract) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.log(t).Bundle(t.Context(), &b, x); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// look is what a client of this process would have in hand.
func (p *process) look(t testing.TB, seen ...verify.Seen) verify.Input {
	t.Helper()
	nonce := make([]byte, 32)
	_, _ = rand.Read(nonce)
	session, err := p.Session(t.Context(), nonce, evidence.Channel{Kind: evidence.ChannelNone})
	if err != nil {
		t.Fatal(err)
	}
	document, err := p.Evidence().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return verify.Input{
		Target: "http://127.0.0.1:3000", Kind: verify.KindURL, Loopback: true, Nonce: nonce, Boot: document, Session: session, Seen: seen,
		Logs: []verify.Log{{Agent: eliza, Bundle: bytes.NewReader(p.bundle(t, actionlog.Extract{Nonce: nonce}))}},
	}
}

func appraise(t testing.TB, in verify.Input, p verify.Policy) verify.Result {
	t.Helper()
	r, err := verify.Appraise(in, p, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func simulated() verify.Policy { return verify.Policy{Simulated: "allow"} }

func wantMet(t testing.TB, r verify.Result) {
	t.Helper()
	if r.Exit != 0 || r.Err() != nil {
		t.Fatalf("not met:\n%s", text(r))
	}
}

func wantFailed(t testing.TB, r verify.Result, id string) appraisal.Check {
	t.Helper()
	for _, c := range r.Checks {
		if c.ID == id && c.Outcome == appraisal.Failed {
			if r.Exit != 1 || r.Tier != appraisal.Contraindicated || c.Fault == "" || c.Remedy == "" {
				t.Fatalf("%s failed, but exit %d, tier %s, fault %q, remedy %q", id, r.Exit, r.Tier, c.Fault, c.Remedy)
			}
			return c
		}
	}
	t.Fatalf("%s did not fail:\n%s", id, text(r))
	return appraisal.Check{}
}

func text(r verify.Result) string {
	var b bytes.Buffer
	_ = r.WriteText(&b) // a buffer does not fail
	return b.String()
}

func TestSimulatedServerIsMetOnlyWhenAllowed(t *testing.T) {
	p := begin(t, t.TempDir())
	p.talk(t, 3)
	allowed := appraise(t, p.look(t), simulated())
	wantMet(t, allowed)
	if allowed.Tier != appraisal.Warned || !allowed.Simulated || allowed.Headline[:9] != "SIMULATED" || len(allowed.Remember) != 1 {
		t.Fatalf("tier %s, headline %q, remembers %d", allowed.Tier, allowed.Headline, len(allowed.Remember))
	}
	if os.Getenv("TEAPOT_SHOW") != "" {
		fmt.Println(text(allowed))
	}
	refused := appraise(t, p.look(t), verify.Policy{})
	wantFailed(t, refused, "hardware.root")
	if !bytes.Contains([]byte(refused.Headline), []byte("SIMULATED")) || len(refused.Remember) != 0 {
		t.Fatalf("headline %q, remembers %d", refused.Headline, len(refused.Remember))
	}
}

// genuine begins a process whose root counts as the CPU maker's in looks made by lookGenuine.
func genuine(t testing.TB, dir string, change ...func(*boot.Config)) *process {
	t.Helper()
	return begin(t, dir, append([]func(*boot.Config){func(c *boot.Config) {
		c.Attester = hardware{c.Attester.(*sim.Simulator)}
	}}, change...)...)
}

func (p *process) lookGenuine(t testing.TB, seen ...verify.Seen) verify.Input {
	t.Helper()
	in := p.look(t, seen...)
	verify.TestingRoot(&in, sha256.Sum256(p.sim.RootDER()))
	return in
}

// exact is a policy that names what runs.
func exact(t testing.TB, p *process) verify.Policy {
	t.Helper()
	document, err := p.Evidence().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	o, err := verify.Observe(document)
	if err != nil {
		t.Fatal(err)
	}
	return verify.Policy{Code: []verify.Code{o.Code}, Agents: o.Agents}
}

func TestAffirmingNeedsReferenceValues(t *testing.T) {
	p := genuine(t, t.TempDir())
	p.talk(t, 2)
	r := appraise(t, p.lookGenuine(t), exact(t, p))
	wantMet(t, r)
	if r.Tier != appraisal.Affirming || r.Simulated || len(r.Waived) != 0 {
		t.Fatalf("tier %s:\n%s", r.Tier, text(r))
	}
	r = appraise(t, p.lookGenuine(t), verify.Policy{})
	if c := r.Find("measurements.code"); r.Exit != 1 || r.Tier != appraisal.Warned || c.Outcome != appraisal.Warning {
		t.Fatalf("unknown code on genuine hardware: exit %d, tier %s", r.Exit, r.Tier)
	}
	wrong := exact(t, p)
	wrong.Code[0].MRTD = []string{strings.Repeat("ab", 48)}
	if c := wantFailed(t, appraise(t, p.lookGenuine(t), wrong), "measurements.code"); !strings.Contains(c.Want, "mrtd") {
		t.Fatalf("the difference is not named: %q", c.Want)
	}
	other := exact(t, p)
	other.Agents[0].Character = []string{strings.Repeat("cd", 32)}
	wantFailed(t, appraise(t, p.lookGenuine(t), other), "keys.agent")
	// --allow-simulated waives nothing on genuine hardware.
	lax := appraise(t, p.lookGenuine(t), simulated())
	if lax.Exit != 1 {
		t.Fatalf("--allow-simulated accepted unknown code on genuine hardware:\n%s", text(lax))
	}
}

func TestSuppliedReferenceValuesAreCheckedInASimulationToo(t *testing.T) {
	p := begin(t, t.TempDir())
	policy := exact(t, p)
	policy.Simulated = "allow"
	wantMet(t, appraise(t, p.look(t), policy))
	policy.Code[0].RTMR0 = []string{strings.Repeat("00", 48)}
	wantFailed(t, appraise(t, p.look(t), policy), "measurements.code")
}

func TestHiddenAgentIsNoticed(t *testing.T) {
	const other = "e0e10e6f-ff2b-0d4c-8011-1fc1eee7cb32"
	p := begin(t, t.TempDir(), func(c *boot.Config) {
		c.Agents = append(c.Agents, boot.AgentSpec{ID: other, Name: "other", Character: []byte("{}")})
	})
	in := p.look(t)
	c := wantFailed(t, appraise(t, in, simulated()), "entries.complete")
	if !strings.Contains(c.Detail, other) {
		t.Fatalf("%s", c.Detail)
	}
	in = p.look(t)
	in.Only = []string{eliza}
	wantMet(t, appraise(t, in, simulated()))
}
