package boot

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/tlog"
)

// A clock that goes back between two starts: the operator is told, time does not fall along the log, and entries say so.
func TestAClockBehindTheLogIsSaid(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	var said bytes.Buffer
	begin := func() (*Process, *actionlog.Log) {
		attester, err := sim.New(sim.Options{Dir: dir, Clock: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		p, err := Start(t.Context(), Config{
			Dir: dir, Attester: attester, Collateral: attester, Software: evidence.Software{Name: "teapot", Version: "test"},
			Policies: WeakestSafe(), Agents: []AgentSpec{spec()}, Now: func() time.Time { return now }, Logger: slog.New(slog.NewTextHandler(&said, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		a, _ := p.Agent(eliza)
		return p, a.Log
	}
	p, _ := begin()
	if err := p.Close(); err != nil || strings.Contains(said.String(), "clock") {
		t.Fatalf("%v %s", err, &said)
	}
	first := uint64(now.UnixMicro())
	now = now.Add(-2 * time.Hour)
	p, log := begin()
	defer p.Close()
	if !strings.Contains(said.String(), "the clock is behind") || !strings.Contains(said.String(), "behind=2h0m0s") {
		t.Errorf("said: %s", &said)
	}
	if _, err := log.Append(t.Context(), actionlog.Entry{Type: "message", Source: tlog.SourceRuntime, Content: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	for index := uint64(1); index <= 2; index++ {
		e, err := log.Entry(t.Context(), index)
		if err != nil || e.Leaf.Time < first || !e.Leaf.Clamped {
			t.Errorf("entry %d: time %d, first %d, clamped %v, %v", index, e.Leaf.Time, first, e.Leaf.Clamped, err)
		}
	}
}
