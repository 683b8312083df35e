package eliza_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/agent/character"
	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/evidence"
)

const tester = `{"name":"Tester","modelProvider":"llama_local","bio":"b","lore":[],"messageExamples":[],"postExamples":[],"topics":[],
"adjectives":[],"clients":[],"plugins":[],"style":{"all":[],"chat":[],"post":[]},
"settings":{"secrets":{"OPENAI_API_KEY":"sk-very-secret"},"TWITTER_PASSWORD":"hunter2"}}`

// counted is an attester that counts its quotes, and makes none while it is broken, as a platform whose socket is gone.
type counted struct {
	attest.Attester
	quotes atomic.Int64
	broken atomic.Bool
}

func (c *counted) Quote(ctx context.Context, reportData [64]byte) (attest.Quote, error) {
	if c.broken.Load() {
		return attest.Quote{}, errors.New("connecting to the platform: connection refused")
	}
	c.quotes.Add(1)
	return c.Attester.Quote(ctx, reportData)
}

// lifecycle starts agents over the fixture's process, as cmd/teapot does.
type lifecycle struct {
	t      testing.TB
	f      *fixture
	first  *agent.Agent
	stores []*memory.Store
}

func newLifecycle(t testing.TB, f *fixture, attester attest.Attester) *lifecycle {
	t.Helper()
	l := &lifecycle{t: t, f: f}
	c := parse(t, tester)
	process, err := boot.Start(t.Context(), boot.Config{
		Dir: f.dir, Attester: attester, Software: evidence.Software{Name: "teapot", Version: "test"},
		Agents: []boot.AgentSpec{{ID: c.ID, Name: c.Name, Character: c.Public()}}, Fatal: func(err error) { t.Error(err) },
		Now: f.now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.process = process
	if l.first, err = l.run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

func parse(t testing.TB, text string) *character.Character {
	t.Helper()
	c, err := character.Parse([]byte(text), character.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (l *lifecycle) close() {
	errs := []error{l.f.fleet.Close()}
	for _, s := range l.stores {
		errs = append(errs, s.Close())
	}
	if err := errors.Join(append(errs, l.f.process.Close())...); err != nil {
		l.t.Error(err)
	}
}

func (l *lifecycle) run(ctx context.Context, c *character.Character) (*agent.Agent, error) {
	booted, _ := l.f.process.Agent(c.ID)
	store, err := memory.Open(ctx, memory.Options{Key: [32]byte{9}, Log: booted.Log})
	if err != nil {
		return nil, err
	}
	l.stores = append(l.stores, store)
	a, err := agent.New(ctx, agent.Config{Character: c, Log: booted.Log, Memory: store, Wallets: booted.Wallets(), Attest: quotes{l.f.process, booted}})
	if err != nil {
		return nil, err
	}
	if old := l.f.fleet.Replace(a); old != nil {
		return a, old.Close()
	}
	return a, nil
}

func (l *lifecycle) Start(ctx context.Context, c *character.Character) (*agent.Agent, error) {
	if _, err := l.f.process.Add(ctx, boot.AgentSpec{ID: c.ID, Name: c.Name, Character: c.Public()}); err != nil {
		return nil, err
	}
	return l.run(ctx, c)
}

func (l *lifecycle) Change(ctx context.Context, c *character.Character) (*agent.Agent, error) {
	if _, err := l.f.process.Change(ctx, c.ID, c.Name, c.Public()); err != nil {
		return nil, err
	}
	return l.run(ctx, c)
}

func (l *lifecycle) Stop(_ context.Context, id string) error {
	a, ok := l.f.fleet.Remove(id)
	if !ok {
		return errors.New("not running")
	}
	return a.Close()
}

func (l *lifecycle) Load(string) (*character.Character, error) {
	return nil, errors.New("no files here")
}

// quotes makes evidence as cmd/teapot does.
type quotes struct {
	process *boot.Process
	agent   *boot.Agent
}

func (q quotes) Boot(context.Context) (plugin.Evidence, error) {
	return plugin.Evidence{URL: "/v1/evidence/" + q.process.Evidence().ID().String()}, nil
}

func (q quotes) Attest(ctx context.Context, text string) (plugin.Evidence, error) {
	nonce := evidence.Sum([]byte(text))
	document, err := q.process.Extract(ctx, nonce[:], "REMOTE_ATTESTATION", []byte(text), string(q.agent.Log.Checkpoint()))
	if err != nil {
		return plugin.Evidence{}, err
	}
	e, err := evidence.ParseEvidence(document)
	if err != nil {
		return plugin.Evidence{}, err
	}
	return plugin.Evidence{Digest: e.ID().String(), URL: "/v1/evidence/" + e.ID().String()}, nil
}
