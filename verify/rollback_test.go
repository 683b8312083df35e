package verify_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/verify"
)

// shared keeps verified chains between the many appraisals of these tests.
var shared = new(dcap.Verifier)

func none() evidence.Channel { return evidence.Channel{Kind: evidence.ChannelNone} }

func copyDir(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// proof lets the server of a look prove consistency, as GET …/proof does.
func (p *process) proof(t testing.TB) func(from, to uint64) ([][]byte, error) {
	return func(from, to uint64) ([][]byte, error) {
		hashes, err := p.log(t).ConsistencyProof(from, to)
		var out [][]byte
		for _, h := range hashes {
			out = append(out, h[:])
		}
		return out, err
	}
}

func TestSecondLookPassesAndIsIncremental(t *testing.T) {
	p := begin(t, t.TempDir())
	p.talk(t, 5)
	first := appraise(t, p.look(t), simulated())
	wantMet(t, first)
	p.talk(t, 3)
	second := appraise(t, p.look(t, first.Remember...), simulated())
	wantMet(t, second)
	if c := second.Find("rollback.memory"); c.Outcome != appraisal.Passed {
		t.Fatalf("rollback.memory %s: %s", c.Outcome, c.Detail)
	}
	in := p.look(t, first.Remember...)
	in.Logs[0].Bundle = bytes.NewReader(p.bundle(t, actionlog.Extract{Base: 11}))
	third := appraise(t, in, simulated())
	wantMet(t, third)
	if a := third.Agents[0]; a.Verified != 6 || a.Size != 17 {
		t.Fatalf("verified %d of %d: %s", a.Verified, a.Size, a.Scope)
	}
}

func TestOldDiskIsNoticedAtTheSecondLook(t *testing.T) {
	dir := t.TempDir()
	p := begin(t, dir)
	p.talk(t, 2)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	old := copyDir(t, dir)
	p = begin(t, dir)
	p.talk(t, 5)
	first := appraise(t, p.look(t), simulated())
	wantMet(t, first)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	back := begin(t, old)
	r := appraise(t, back.look(t, first.Remember...), simulated())
	c := wantFailed(t, r, "rollback.memory")
	if !strings.Contains(c.Detail, "shorter") || len(r.Remember) != 0 {
		t.Fatalf("detail %q, remembers %d", c.Detail, len(r.Remember))
	}
}

// A row of the attack table: two histories to two readers. This much needs no witness: readers who compare.
func TestAttackTwoHistoriesToTwoReaders(t *testing.T) {
	dir := t.TempDir()
	p := begin(t, dir)
	p.talk(t, 2)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	clone := copyDir(t, dir)
	p = begin(t, dir)
	p.talk(t, 2)
	first := appraise(t, p.look(t), simulated())
	wantMet(t, first)
	other := begin(t, clone)
	other.talk(t, 4)
	in := other.look(t, first.Remember...)
	in.Logs[0].Proof = other.proof(t)
	r := appraise(t, in, simulated())
	wantFailed(t, r, "rollback.memory")
	if len(r.Forks) != 1 {
		t.Fatal("no evidence of the fork was kept")
	}
	kind, err := verify.Recognise(r.Forks[0])
	if err != nil || kind != verify.KindFork {
		t.Fatalf("recognised as %q: %v", kind, err)
	}
	proof := appraise(t, verify.Input{Target: "fork.json", Kind: kind, File: r.Forks[0]}, verify.Policy{})
	wantFailed(t, proof, "consistency.fork")
	innocent := bytes.Replace(r.Forks[0], []byte(`"root":"`), []byte(`"root":"00`), 1)
	if _, err := verify.Appraise(verify.Input{Kind: verify.KindFork, File: innocent}, verify.Policy{}, time.Now()); err == nil {
		t.Fatal("evidence with another root still accuses the log")
	}
}

func TestResetAgentIsAnotherLog(t *testing.T) {
	first := appraise(t, begin(t, t.TempDir()).look(t), simulated())
	wantMet(t, first)
	c := wantFailed(t, appraise(t, begin(t, t.TempDir()).look(t, first.Remember...), simulated()), "rollback.memory")
	if !strings.Contains(c.Remedy, "--forget") {
		t.Fatalf("remedy %q", c.Remedy)
	}
}

// A row of the attack table (facts/tlog.md section 9): replay an old extraction.
func TestAttackReplayAnOldExtraction(t *testing.T) {
	p := begin(t, t.TempDir())
	p.talk(t, 1)
	stale := p.look(t)
	p.talk(t, 1)
	for name, c := range map[string]struct {
		change func(in *verify.Input)
		id     string
	}{
		"old session": {func(in *verify.Input) { in.Session = stale.Session }, "freshness.nonce"},
		"old log":     {func(in *verify.Input) { in.Logs = stale.Logs }, "consistency.session"},
		"no channel":  {func(in *verify.Input) { in.Secure = true }, "session.channel"},
		"other channel": {func(in *verify.Input) {
			in.Channel = &evidence.Channel{Kind: evidence.ChannelTLS, Exporter: make([]byte, 32), Leaf: make([]byte, 32)}
		}, "session.channel"},
		"http over network": {func(in *verify.Input) { in.Loopback = false }, "session.channel"},
	} {
		t.Run(name, func(t *testing.T) {
			in := p.look(t)
			c.change(&in)
			wantFailed(t, appraise(t, in, simulated()), c.id)
		})
	}
}

func TestSwappedReportDataIsNoticed(t *testing.T) {
	p := begin(t, t.TempDir())
	in := p.look(t)
	other, err := p.sim.Quote(t.Context(), evidence.ReportData([]byte("another statement")))
	if err != nil {
		t.Fatal(err)
	}
	e := *p.Evidence()
	e.Quote = other.Raw
	if in.Boot, err = e.Marshal(); err != nil {
		t.Fatal(err)
	}
	wantFailed(t, appraise(t, in, simulated()), "binding.report_data")
}

func TestWeakerStartIsNoticed(t *testing.T) {
	dir := t.TempDir()
	p := begin(t, dir, func(c *boot.Config) { c.Policies.Erasure.Requesters = nil })
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p = begin(t, dir, func(c *boot.Config) { c.Policies.Erasure.Requesters = []string{"operator"} })
	wantFailed(t, appraise(t, p.look(t), simulated()), "lineage.policy")
	accepting := simulated()
	accepting.Lineage.AcceptWeaker = true
	wantMet(t, appraise(t, p.look(t), accepting))
}

func TestAnotherMachinesStartsAreNoticed(t *testing.T) {
	p := begin(t, t.TempDir())
	in := p.look(t)
	verify.TestingRoot(&in, sha256.Sum256([]byte("nobody")))
	wantFailed(t, appraise(t, in, verify.Policy{}), "hardware.root")
}

func TestStrippedLogsAndUnpinnedApplicationsAreNoticed(t *testing.T) {
	p := genuine(t, t.TempDir())
	policy := exact(t, p)
	policy.Code[0].AppCompose = nil
	r := appraise(t, p.lookGenuine(t), policy)
	if c := r.Find("measurements.code"); r.Exit != 1 || c.Outcome != appraisal.Warning || !strings.Contains(c.Detail, "application") {
		t.Fatalf("a policy that pins only the system: exit %d, %s", r.Exit, c.Detail)
	}
	in := p.lookGenuine(t)
	ev, err := evidence.ParseEvidence(in.Boot)
	if err != nil {
		t.Fatal(err)
	}
	ev.EventLog, ev.AppCompose = nil, nil
	if in.Boot, err = ev.Marshal(); err != nil {
		t.Fatal(err)
	}
	wantFailed(t, appraise(t, in, exact(t, p)), "measurements.compose")
}

// A machine that was simulated and is genuine now, or the other way round, has one log with two kinds of starts.
func TestMixedRootsAreNoticed(t *testing.T) {
	dir := t.TempDir()
	p := begin(t, dir)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	other := begin(t, t.TempDir())
	p = begin(t, dir, func(c *boot.Config) {
		c.Attester = foreignQuotes{c.Attester.(*sim.Simulator), other.sim}
		c.Collateral = other.sim
	})
	wantFailed(t, appraise(t, p.look(t), simulated()), "lineage.root")
}

// foreignQuotes has the keys of one simulator and the quotes of another.
type foreignQuotes struct {
	*sim.Simulator
	quotes *sim.Simulator
}

func (f foreignQuotes) Quote(ctx context.Context, rd [64]byte) (attest.Quote, error) {
	return f.quotes.Quote(ctx, rd)
}

// An erasure after the last look is judged by the policy of a start that the look before walked.
func TestErasureSinceTheLastLook(t *testing.T) {
	p := begin(t, t.TempDir(), func(c *boot.Config) { c.Policies.Erasure.Requesters = []string{"operator"} })
	p.talk(t, 3)
	first := appraise(t, p.look(t), simulated())
	wantMet(t, first)
	if _, err := p.log(t).Erase(t.Context(), actionlog.Erasure{Targets: []uint64{1}, Requester: tlog.RequesterOperator, Reason: "asked by letter"}); err != nil {
		t.Fatal(err)
	}
	in := p.look(t, first.Remember...)
	in.Logs[0].Bundle = bytes.NewReader(p.bundle(t, actionlog.Extract{Base: first.Agents[0].Size}))
	r := appraise(t, in, simulated())
	wantMet(t, r)
	if r.Agents[0].Erased["operator"] != 1 {
		t.Fatalf("erased %v", r.Agents[0].Erased)
	}
	strict := simulated()
	strict.Erasures = "refuse"
	whole := p.look(t)
	whole.Logs[0].Bundle, whole.Logs[0].Contents = bytes.NewReader(p.bundle(t, actionlog.Extract{Contents: true})), true
	wantFailed(t, appraise(t, whole, strict), "entries.erased")
}

// A session needs no event log and no compose file; what it shows is checked all the same.
func TestSessionThatShowsWhatIsNotItsOwn(t *testing.T) {
	p := begin(t, t.TempDir())
	for name, change := range map[string]func(e *evidence.Evidence){
		"another compose file": func(e *evidence.Evidence) { e.AppCompose = append(bytes.Clone(e.AppCompose), ' ') },
		"half an event log":    func(e *evidence.Evidence) { e.EventLog = []byte(`[]`) },
	} {
		in := p.look(t)
		session, err := evidence.ParseEvidence(in.Session)
		if err != nil {
			t.Fatal(err)
		}
		change(session)
		if in.Session, err = session.Marshal(); err != nil {
			t.Fatal(err)
		}
		if c := wantFailed(t, appraise(t, in, simulated()), "measurements.session"); c.Fault != "host" {
			t.Errorf("%s: %+v", name, c)
		}
	}
}
