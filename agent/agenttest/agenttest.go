// Package agenttest starts agents over a real action log in a temporary directory. It is for tests only.
package agenttest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"path/filepath"
	"testing"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/agent/agenttest/fixed"
	"github.com/teapot-tee/teapot/agent/character"
	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/model"
	"github.com/teapot-tee/teapot/agent/record"
	"github.com/teapot-tee/teapot/keys/wallets"
	"github.com/teapot-tee/teapot/tlog"
)

// Place is a data directory with an open store.
type Place struct {
	Dir   string
	Store *actionlog.Store
	Wrap  func(*actionlog.Log) record.Log // what the agent gets for its log; nil: the log itself
}

// NewPlace opens a store in a directory of the test.
func NewPlace(t testing.TB, dir string) *Place {
	t.Helper()
	store, err := actionlog.Open(actionlog.Options{Dir: dir, Platform: "simulator", IndexKey: [32]byte{4}})
	if err != nil {
		t.Fatal(err)
	}
	return &Place{Dir: dir, Store: store}
}

// Log opens and boots the log of an agent.
func (p *Place) Log(t testing.TB, id string) *actionlog.Log {
	t.Helper()
	l, err := p.Store.OpenLog(actionlog.LogOptions{Agent: id, LogKey: Key(1), StorageKey: [32]byte{2}, PrivacyKey: [32]byte{3}, Erasure: actionlog.ErasurePolicy{Requesters: []tlog.Requester{tlog.RequesterOperator}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Boot(context.Background(), actionlog.Boot{BootKey: Key(10), AgentKey: Key(11), Statement: []byte("s"), Part: []byte("p"), Evidence: []byte("e")})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Key is a fixed key.
func Key(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

// Start starts an agent on a place; change may be nil. Everything closes with the test.
func (p *Place) Start(t testing.TB, change func(*agent.Config)) *agent.Agent {
	t.Helper()
	a, err := p.start(t, change)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// TryStart starts an agent that must not start, and returns why.
func (p *Place) TryStart(t testing.TB, change func(*agent.Config)) error {
	t.Helper()
	a, err := p.start(t, change)
	if err == nil {
		t.Cleanup(func() { _ = a.Close() })
	}
	return err
}

func (p *Place) start(t testing.TB, change func(*agent.Config)) (*agent.Agent, error) {
	t.Helper()
	c := agent.Config{Character: character.Default(nil)}
	if change != nil {
		change(&c)
	}
	log := p.Log(t, c.Character.ID)
	c.Log = log
	m, err := memory.Open(t.Context(), memory.Options{Path: filepath.Join(p.Dir, c.Character.ID+".memory.db"), Key: [32]byte{5}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	c.Memory = m
	if p.Wrap != nil {
		c.Log = p.Wrap(log)
	}
	return agent.New(t.Context(), c)
}

// Start starts one agent on a place of its own.
func Start(t testing.TB, change func(*agent.Config)) *agent.Agent {
	t.Helper()
	p := NewPlace(t, t.TempDir())
	t.Cleanup(func() {
		if err := p.Store.Close(); err != nil {
			t.Error(err)
		}
	})
	return p.Start(t, change)
}

// Wallets are wallets of fixed keys.
func Wallets(testing.TB) []*wallets.Wallet {
	evm, solana := fixed.Wallets()
	return []*wallets.Wallet{evm, solana}
}

// Model is a model made of a function.
type Model func(ctx context.Context, r model.Request) (model.Response, error)

// Complete calls the function.
func (m Model) Complete(ctx context.Context, r model.Request) (model.Response, error) {
	return m(ctx, r)
}

// Says is a model that always answers the same.
func Says(text string) Model {
	return func(_ context.Context, r model.Request) (model.Response, error) {
		if r.Stream != nil {
			r.Stream(text)
		}
		return model.Response{Text: text, Exchange: model.Exchange{Provider: "fake", Model: "fake", Request: []byte(r.Prompt), Response: []byte(text)}}, nil
	}
}
