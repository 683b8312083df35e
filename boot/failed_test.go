package boot

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/tlog"
)

// moody is a platform that refuses quotes when told to.
type moody struct {
	*sim.Simulator
	refuses atomic.Bool
	during  func() // called before each quote
}

func (m *moody) Quote(ctx context.Context, reportData [64]byte) (attest.Quote, error) {
	if m.during != nil {
		m.during()
	}
	if m.refuses.Load() {
		return attest.Quote{}, errors.New("no quote now")
	}
	return m.Simulator.Quote(ctx, reportData)
}

func startMoody(t *testing.T) (*Process, *moody) {
	t.Helper()
	dir := t.TempDir()
	s, err := sim.New(sim.Options{Dir: dir, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	m := &moody{Simulator: s}
	p, err := Start(t.Context(), Config{
		Dir: dir, Attester: m, Software: evidence.Software{Name: "teapot", Version: "test"},
		Policies: WeakestSafe(), Agents: []AgentSpec{spec()}, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() }) // nothing is left to lose
	return p, m
}

var late = AgentSpec{ID: "e0e10e6f-ff2b-0d4c-8011-1fc1eee7cb32", Name: "late", Character: []byte("{}")}

// What could not be declared is no part of the process: not in a later statement, not in a session, and it may be tried again.
func TestFailedDeclarationsLeaveNothingBehind(t *testing.T) {
	p, m := startMoody(t)
	before, _ := p.Agent(eliza)
	digest := evidence.Sum(p.Evidence().Statement)
	m.refuses.Store(true)
	if _, err := p.Add(t.Context(), late); err == nil {
		t.Fatal("added without a quote")
	}
	if _, err := p.Change(t.Context(), eliza, "Eliza", []byte(`{"name":"other"}`)); err == nil {
		t.Fatal("changed without a quote")
	}
	m.refuses.Store(false)
	if now, _ := p.Agent(eliza); now != before || len(p.Agents()) != 1 || evidence.Sum(p.Evidence().Statement) != digest {
		t.Fatalf("%d agents, Eliza changed: %v", len(p.Agents()), now != before)
	}
	if n := p.Statement().Number; n != 0 {
		t.Fatalf("the statement in force is number %d", n)
	}
	if _, err := p.Session(t.Context(), make([]byte, 32), evidence.Channel{Kind: evidence.ChannelNone}); err != nil {
		t.Fatal("no session any more: ", err)
	}
	if _, err := before.Log.Append(t.Context(), actionlog.Entry{Type: "message", Source: tlog.SourceRuntime, Room: "r", Content: []byte("still there?")}); err != nil {
		t.Fatal("the log is held for ever: ", err)
	}
	if _, err := p.Add(t.Context(), late); err != nil {
		t.Fatal("not to be tried again: ", err)
	}
	if _, err := p.Change(t.Context(), eliza, "Eliza", []byte(`{"name":"other"}`)); err != nil {
		t.Fatal(err)
	}
	if len(p.Statement().Agents) != 2 {
		t.Fatalf("%d agents in the statement", len(p.Statement().Agents))
	}
}

// A caller who goes away while the statement is made does not separate log and evidence.
func TestCallerWhoGoesAway(t *testing.T) {
	p, m := startMoody(t)
	ctx, cancel := context.WithCancel(t.Context())
	m.during = cancel
	_, err := p.Change(ctx, eliza, "Eliza", []byte(`{"name":"other"}`))
	a, _ := p.Agent(eliza)
	if starts := a.Log.Size(); (err == nil) != (starts == 2) || (err == nil) != (p.Statement().Number == 1) {
		t.Fatalf("%d boot leaves, statement %d, %v", starts, p.Statement().Number, err)
	}
}
