package boot

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/tlog"
)

const eliza = "b850bc30-45f8-0041-a00a-83df46d8555d"

func start(t *testing.T, dir string, specs ...AgentSpec) *Process {
	t.Helper()
	attester, err := sim.New(sim.Options{Dir: dir, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start(context.Background(), Config{
		Dir: dir, Attester: attester, Collateral: attester, Software: evidence.Software{Name: "teapot", Version: "test"},
		Policies: WeakestSafe(), Agents: specs, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func spec() AgentSpec {
	return AgentSpec{ID: eliza, Name: "Eliza", Character: []byte(`{"name":"Eliza"}`)}
}

// TestEveryStartIsAnEntry: two starts, two boot leaves, the second continuing exactly what the first left.
func TestEveryStartIsAnEntry(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir, spec())
	a, ok := first.Agent(eliza)
	if !ok || a.Log.Size() != 1 || a.Part().Found.Size != 0 {
		t.Fatalf("after the first start: size %d, found %+v", a.Log.Size(), a.Part().Found)
	}
	if _, err := a.Log.Append(t.Context(), actionlog.Entry{Type: "message", Source: tlog.SourceRuntime, Room: "r", Content: []byte("hello")}); err != nil {
		t.Fatal(err)
	}
	wallets, origin := a.Part().Wallets, a.Log.Origin()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := start(t, dir, spec())
	defer second.Close()
	b, _ := second.Agent(eliza)
	if f := b.Part().Found; f.Size != 2 || f.BootNumber != 1 || b.Log.Size() != 3 || b.Log.Origin() != origin {
		t.Errorf("after the second start: size %d, found %+v, origin %s", b.Log.Size(), f, b.Log.Origin())
	}
	if len(wallets) != 2 || b.Part().Wallets[0] != wallets[0] || b.Part().Wallets[1] != wallets[1] {
		t.Errorf("wallets changed over a start: %v, %v", wallets, b.Part().Wallets)
	}
	if a.Part().AgentKey == b.Part().AgentKey || first.Statement().BootKey == second.Statement().BootKey {
		t.Error("keys of a start were used in two")
	}
}

// TestQuoteVouchesForTheStatement: report data is the tag and the hash of the exact statement, and the parts are those it lists.
func TestQuoteVouchesForTheStatement(t *testing.T) {
	p := start(t, t.TempDir(), spec())
	defer p.Close()
	e := p.Evidence()
	want := evidence.ReportData(e.Statement)
	if got := [64]byte(e.Quote[568:632]); got != want {
		t.Error("the quote's report data is not the statement's")
	}
	statement, err := evidence.ParseBoot(e.Statement)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.MatchParts(statement); err != nil {
		t.Error(err)
	}
}

func TestAgentsJoinAndChange(t *testing.T) {
	p := start(t, t.TempDir(), spec())
	defer p.Close()
	other := AgentSpec{ID: "e0e10e6f-ff2b-0d4c-8011-1fc1eee7cb32", Name: "trump", Character: []byte("{}")}
	if _, err := p.Add(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Add(t.Context(), other); err == nil {
		t.Error("two agents with one id")
	}
	a, _ := p.Agent(eliza)
	if a.Log.Size() != 1 || p.Statement().Number != 1 || len(p.Statement().Agents) != 2 {
		t.Errorf("Eliza's log has %d entries, statement %d with %d agents", a.Log.Size(), p.Statement().Number, len(p.Statement().Agents))
	}
	changed, err := p.Change(t.Context(), eliza, "Eliza", []byte(`{"name":"Eliza","system":"new"}`))
	if err != nil {
		t.Fatal(err)
	}
	if changed.Log.Size() != 2 || changed.Part().Found.Size != 1 || changed.Part().Found.BootNumber != 1 || changed.Part().AgentKey == a.Part().AgentKey {
		t.Errorf("after the change: size %d, found %+v", changed.Log.Size(), changed.Part().Found)
	}
}

func TestOneIDIsOneAgent(t *testing.T) {
	dir := t.TempDir()
	attester, err := sim.New(sim.Options{Dir: dir, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), Config{Dir: dir, Attester: attester, Now: time.Now, Logger: slog.New(slog.DiscardHandler), Policies: WeakestSafe(), Agents: []AgentSpec{spec(), spec()}})
	if err == nil {
		t.Error("two agents with one id were started")
	}
}

func TestSessionsCarryNonceAndHeads(t *testing.T) {
	p := start(t, t.TempDir(), spec())
	defer p.Close()
	document, err := p.Session(t.Context(), make([]byte, 32), evidence.Channel{Kind: evidence.ChannelNone})
	if err != nil {
		t.Fatal(err)
	}
	e, err := evidence.ParseEvidence(document)
	if err != nil {
		t.Fatal(err)
	}
	s, err := evidence.ParseSession(e.Statement)
	if err != nil || len(s.Checkpoints) != 1 || s.Boot != evidence.Sum(p.Evidence().Statement) {
		t.Errorf("%+v, %v", s, err)
	}
	if _, ok := p.Document(e.ID()); !ok {
		t.Error("the session's evidence has no link")
	}
}

func TestErasurePolicyWords(t *testing.T) {
	p, err := erasurePolicy(evidence.Erasure{Requesters: []string{"operator", "user"}})
	if err != nil || len(p.Requesters) != 2 || p.Requesters[0] != tlog.RequesterOperator {
		t.Errorf("%+v, %v", p, err)
	}
	for _, bad := range []string{"none", "zeus", ""} {
		if _, err := erasurePolicy(evidence.Erasure{Requesters: []string{bad}}); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

// TestNewLogNamesTheOneBefore: after a loss the operator starts log 1; the part names log 0 by origin and last checkpoint.
func TestNewLogNamesTheOneBefore(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir, spec())
	a, _ := first.Agent(eliza)
	origin, checkpoint := a.Log.Origin(), string(a.Log.Checkpoint())
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	next := spec()
	next.LogNumber = 1
	second := start(t, dir, next)
	defer second.Close()
	b, _ := second.Agent(eliza)
	if e := b.Part().Earlier; len(e) != 1 || e[0].Origin != origin || e[0].Checkpoint != checkpoint || b.Log.Origin() == origin {
		t.Errorf("%+v, origin %s", e, b.Log.Origin())
	}
}
