package boot

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
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

// Every start of such a guest begins a log of its own and says that it knows nothing of the earlier ones: what it derives for them
// never was a log's.
func TestKeysOfOneStartBeginANewLogEachTime(t *testing.T) {
	dir := t.TempDir()
	seen := map[string]bool{}
	for n := range 3 {
		p, err := startForgetful(t, dir, spec())
		if err != nil {
			t.Fatal(err)
		}
		a, _ := p.Agent(eliza)
		part := a.Part()
		if seen[a.Log.Origin()] || part.Log.Number != uint64(n) || len(part.Earlier) != n {
			t.Errorf("start %d: log %d of origin %s, earlier %+v", n, part.Log.Number, a.Log.Origin(), part.Earlier)
		}
		for _, e := range part.Earlier {
			if e.Origin != evidence.Unknown || e.Checkpoint != evidence.Unknown {
				t.Errorf("start %d vouches for an earlier log: %+v", n, e)
			}
		}
		seen[a.Log.Origin()] = true
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A log that was given up for a newer one is not taken up again by a start that forgot --log-number: its history would split.
func TestALogThatWasGivenUpIsNotTakenUpAgain(t *testing.T) {
	dir := t.TempDir()
	if err := start(t, dir, spec()).Close(); err != nil {
		t.Fatal(err)
	}
	next := spec()
	next.LogNumber = 1
	if err := start(t, dir, next).Close(); err != nil {
		t.Fatal(err)
	}
	attester, err := sim.New(sim.Options{Dir: dir, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), Config{
		Dir: dir, Attester: attester, Collateral: attester, Software: evidence.Software{Name: "teapot", Version: "test"},
		Policies: WeakestSafe(), Agents: []AgentSpec{spec()}, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err == nil || !strings.Contains(err.Error(), "start with --log-number 1") {
		t.Errorf("%v", err)
	}
	if err := start(t, dir, next).Close(); err != nil {
		t.Fatal(err)
	}
}

// The host writes the disk, and anybody mistypes: a number that no statement can hold is refused before it fills the memory.
func TestALogNumberBeyondReasonIsRefused(t *testing.T) {
	dir := t.TempDir()
	forged := filepath.Join(dir, "log", "logs", eliza+"-9007199254740990")
	p, err := startForgetful(t, dir, spec())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Close(), os.MkdirAll(forged, 0o700), os.WriteFile(filepath.Join(forged, "00000000.segment"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := startForgetful(t, dir, spec()); err == nil || !strings.Contains(err.Error(), "log number 9007199254740991") {
		t.Errorf("forged: %v", err)
	}
	far := spec()
	far.LogNumber = maxLogNumber + 1
	if _, err := startForgetful(t, t.TempDir(), far); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("mistyped: %v", err)
	}
}
