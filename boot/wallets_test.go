package boot

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys/dstackkey"
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

// published is the simulator with tappd keys that a well-known simulator published.
type published struct{ *sim.Simulator }

func (published) DeriveKey(_ context.Context, path, _ string) ([]byte, error) {
	root, err := hex.DecodeString("13e16d1d7edfac6c83bb430573a1ec67b36272199c735824fde4069845eae0cc")
	if err != nil {
		return nil, err
	}
	key, err := dstackkey.P256(dstackkey.GetKey(root, path))
	if err != nil {
		return nil, err
	}
	return dstackkey.DER(key)
}

func TestPublishedWalletKeysShowInCustody(t *testing.T) {
	dir := t.TempDir()
	s, err := sim.New(sim.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	weak := spec()
	weak.Wallets = "eliza/0.1.7"
	p, err := Start(t.Context(), Config{Dir: dir, Attester: published{s}, Policies: WeakestSafe(), Agents: []AgentSpec{weak}, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if c := p.Statement().Custody; c.Wallet != evidence.PublicSeed || c.Log != evidence.Operator {
		t.Errorf("custody %+v", c)
	}
	if a, _ := p.Agent(eliza); a.Wallets()[1].Address != "9yZBmCRRFEBtA3KYokxC24igv1ijFp6tyvzKxRs3khTE" {
		t.Errorf("not the wallet of the document: %s", a.Wallets()[1].Address)
	}
}
