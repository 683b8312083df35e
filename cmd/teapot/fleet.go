package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/agent/character"
	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/plugins"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/ratls"
	"github.com/teapot-tee/teapot/server/access"
	"github.com/teapot-tee/teapot/server/eliza"
)

// fleet is the running agents with the memories they own. It is eliza.Lifecycle: what the token's holder may start and stop.
type fleet struct {
	running *running
	flags   *runFlags
	agents  agent.Fleet
	plugins []string // the list whose hash stands in the boot statement: nothing else is ever switched on

	changes sync.Mutex // one start, change or stop at a time
	stores  map[string]*memory.Store
}

func (r *running) fleet(ctx context.Context, flags *runFlags, loaded []*character.Character) (*fleet, error) {
	f := &fleet{running: r, flags: flags, plugins: pluginNames(loaded), stores: map[string]*memory.Store{}}
	for _, c := range loaded {
		a, err := f.open(ctx, c)
		if err == nil {
			err = f.agents.Add(a)
		}
		if err != nil {
			return nil, errors.Join(err, f.close())
		}
	}
	return f, nil
}

// open starts the runtime of an agent whose log has its boot leaf.
func (f *fleet) open(ctx context.Context, c *character.Character) (*agent.Agent, error) {
	booted, ok := f.running.process.Agent(c.ID)
	if !ok {
		return nil, fmt.Errorf("agent %s has no log", c.Name)
	}
	store, err := f.memory(ctx, booted)
	if err != nil {
		return nil, fmt.Errorf("opening the memory of %s: %w", c.Name, err)
	}
	return agent.New(ctx, agent.Config{
		Character: c, Log: booted.Log, Memory: store, Wallets: booted.Wallets(), Spending: f.running.config.Policies().Spending,
		Attest: attestation{f.running.process, booted, f.running.budget}, Now: time.Now, Logger: f.running.logger,
	})
}

// memory opens an agent's memory once; a changed character keeps it.
func (f *fleet) memory(ctx context.Context, booted *boot.Agent) (*memory.Store, error) {
	if s := f.stores[booted.ID]; s != nil {
		return s, nil
	}
	dir := filepath.Join(f.running.flags.data, "memory")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, booted.ID+".db")
	if f.running.attester.Custody() == evidence.ThisStart { // an older start's memory: nobody has its key
		for _, name := range []string{path, path + "-wal", path + "-shm"} {
			if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
				return nil, err
			}
		}
	}
	s, err := memory.Open(ctx, memory.Options{Path: path, Key: booted.MemoryKey(), Log: booted.Log, Logger: f.running.logger})
	if err == nil {
		f.stores[booted.ID] = s
	}
	return s, err
}

// Start runs a character: a new agent gets its log and boot leaf, a stopped one a new boot leaf.
func (f *fleet) Start(ctx context.Context, c *character.Character) (*agent.Agent, error) {
	f.changes.Lock()
	defer f.changes.Unlock()
	if _, running := f.agents.Get(c.ID); running {
		return nil, fmt.Errorf("agent %s is running already", c.Name)
	}
	a, err := f.begin(ctx, c)
	if err != nil {
		return nil, err
	}
	return a, f.agents.Add(a)
}

// allowed says whether the boot statement of this start covers what a character switches on. The statement's plugin list comes from
// measured input, so a character from the network cannot lengthen it.
func (f *fleet) allowed(c *character.Character) error {
	for _, name := range plugins.Names(c) {
		if !slices.Contains(f.plugins, name) {
			return &eliza.RefusedError{Why: fmt.Sprintf("%s switches on %q, and the boot statement of this start lists only %s; start teapot with a character file that names it", c.Name, name, strings.Join(f.plugins, ", "))}
		}
	}
	return nil
}

// declare has the boot statement name the character: Add for a log not open yet, Change for one that is.
func (f *fleet) declare(ctx context.Context, c *character.Character) error {
	if err := f.allowed(c); err != nil {
		return err
	}
	if _, open := f.running.process.Agent(c.ID); open {
		_, err := f.running.process.Change(ctx, c.ID, c.Name, c.Public())
		return err
	}
	_, err := f.running.process.Add(ctx, f.flags.spec(c))
	return err
}

// Change gives a running agent another character. The old one ends before the boot statement names the new one, so that no entry
// stands under a statement that names another character; for that moment messages are told to come again.
func (f *fleet) Change(ctx context.Context, c *character.Character) (*agent.Agent, error) {
	f.changes.Lock()
	defer f.changes.Unlock()
	old, running := f.agents.Get(c.ID)
	if running {
		if err := f.allowed(c); err != nil {
			return nil, err
		}
		if err := old.Close(); err != nil {
			f.running.logger.WarnContext(ctx, "ending an agent that is changed", "agent", old.Name(), "error", err)
		}
	}
	a, err := f.begin(ctx, c)
	if err != nil && running {
		return nil, errors.Join(err, f.restore(context.WithoutCancel(ctx), old.Character()))
	}
	if err != nil {
		return nil, err
	}
	f.agents.Replace(a)
	return a, nil
}

// begin declares a character and opens its agent.
func (f *fleet) begin(ctx context.Context, c *character.Character) (*agent.Agent, error) {
	if err := f.declare(ctx, c); err != nil {
		return nil, err
	}
	return f.open(ctx, c)
}

// restore brings a character back after a change that failed, declared anew. If that fails too, the agent is no more: better none
// than one that the boot statement does not name.
func (f *fleet) restore(ctx context.Context, c *character.Character) error {
	a, err := f.begin(ctx, c)
	if err != nil {
		f.agents.Remove(c.ID)
		return fmt.Errorf("the old character could not be started again, so the agent is stopped: %w", err)
	}
	f.agents.Replace(a)
	return nil
}

// Stop ends an agent; its log stays open for readers.
func (f *fleet) Stop(_ context.Context, id string) error {
	f.changes.Lock()
	defer f.changes.Unlock()
	a, ok := f.agents.Remove(id)
	if !ok {
		return fmt.Errorf("no agent %s is running", id)
	}
	return a.Close()
}

// Load reads a character from the data directory's folder characters and from nowhere else: a path from the network never leaves it.
func (f *fleet) Load(path string) (*character.Character, error) {
	root, err := os.OpenRoot(filepath.Join(f.running.flags.data, "characters"))
	if err != nil {
		return nil, fmt.Errorf("characters are read from %s/characters only: %w", f.running.flags.data, err)
	}
	defer func() { _ = root.Close() }() // it was only read
	raw, err := root.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return character.Parse(raw, character.Options{Strict: f.flags.strict})
}

func (f *fleet) register(mux *http.ServeMux, budget *ratls.Budget) {
	eliza.Register(mux, eliza.Options{
		Agents: &f.agents, Token: access.NewToken(f.running.token), Lifecycle: f, Process: f.running.process, Quoter: f.running.attester,
		Budget: budget, Full: func() bool { return almostFull(f.running.flags.data) }, Logger: f.running.logger, Now: time.Now,
	})
}

func (f *fleet) close() error {
	errs := []error{f.agents.Close()}
	for _, s := range f.stores {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
