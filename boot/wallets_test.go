package boot

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim"
)

// Another salt over the same data directory would change wallets silently: the start is refused.
func TestChangedWalletsAreRefused(t *testing.T) {
	dir := t.TempDir()
	first := spec()
	first.Wallets, first.Salt = "eliza/0.1.9", "one"
	if err := start(t, dir, first).Close(); err != nil {
		t.Fatal(err)
	}
	attester, err := sim.New(sim.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []struct{ wallets, salt string }{{"eliza/0.1.9", "two"}, {"eliza/0.1.7", "one"}, {"", ""}} {
		again := spec()
		again.Wallets, again.Salt = other.wallets, other.salt
		_, err := Start(t.Context(), Config{Dir: dir, Attester: attester, Policies: WeakestSafe(), Agents: []AgentSpec{again}, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
		if _, ok := errors.AsType[*attest.ChangedWalletsError](err); !ok {
			t.Errorf("%+v: %v", other, err)
		}
	}
	if err := start(t, dir, first).Close(); err != nil {
		t.Errorf("the same wallets again: %v", err)
	}
}
