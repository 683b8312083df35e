package boot

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/evidence"
)

// forgetful is a plain TDX guest without an operator key: its keys live in the memory of one start.
type forgetful struct {
	*sim.Simulator
	root [32]byte
}

func (f forgetful) Custody() evidence.Custody { return evidence.ThisStart }

func (f forgetful) Key(_ context.Context, path string) (attest.Key, error) {
	return attest.Key{Secret: sha256.Sum256(append(f.root[:], path...))}, nil
}

func startForgetful(t *testing.T, dir string, specs ...AgentSpec) (*Process, error) {
	t.Helper()
	simulator, err := sim.New(sim.Options{Dir: dir, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	f := forgetful{Simulator: simulator}
	_, _ = rand.Read(f.root[:])
	return Start(context.Background(), Config{
		Dir: dir, Attester: f, Collateral: simulator, Software: evidence.Software{Name: "teapot", Version: "test"},
		Policies: WeakestSafe(), Agents: specs, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
}

func TestKeysOfOneStartOpenNoOlderLog(t *testing.T) {
	dir := t.TempDir()
	first, err := startForgetful(t, dir, spec())
	if err != nil {
		t.Fatal(err)
	}
	a, _ := first.Agent(eliza)
	before := a.Log.Origin()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := startForgetful(t, dir, spec()); err == nil || !strings.Contains(err.Error(), "--log-number 1") {
		t.Fatalf("%v", err)
	}
	next := spec()
	next.LogNumber = 1
	second, err := startForgetful(t, dir, next)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	b, _ := second.Agent(eliza)
	if e := b.Part().Earlier; b.Log.Origin() == before || len(e) != 1 || e[0].Origin != evidence.Unknown || e[0].Checkpoint != evidence.Unknown {
		t.Errorf("the second log %s says of the first, %s: %+v", b.Log.Origin(), before, e)
	}
}
