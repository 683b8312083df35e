package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/agent/character"
	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/evidence"
)

// fleet is the running agents with the memories they own.
type fleet struct {
	running *running
	agents  agent.Fleet
	stores  []*memory.Store
}

func (r *running) fleet(ctx context.Context, loaded []*character.Character) (*fleet, error) {
	f := &fleet{running: r}
	for _, c := range loaded {
		if _, err := f.add(ctx, c); err != nil {
			return nil, errors.Join(err, f.close())
		}
	}
	return f, nil
}

// add starts the runtime of an agent whose log is open.
func (f *fleet) add(ctx context.Context, c *character.Character) (*agent.Agent, error) {
	booted, ok := f.running.process.Agent(c.ID)
	if !ok {
		return nil, fmt.Errorf("agent %s has no log", c.Name)
	}
	dir := filepath.Join(f.running.flags.data, "memory")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	store, err := memory.Open(ctx, memory.Options{Path: filepath.Join(dir, c.ID+".db"), Key: booted.MemoryKey(), Log: booted.Log, Logger: f.running.logger})
	if err != nil {
		return nil, fmt.Errorf("opening the memory of %s: %w", c.Name, err)
	}
	f.stores = append(f.stores, store)
	a, err := agent.New(ctx, agent.Config{
		Character: c, Log: booted.Log, Memory: store, Wallets: booted.Wallets(), Spending: f.running.config.Policies().Spending,
		Attest: attestation{f.running.process, booted}, Now: time.Now, Logger: f.running.logger,
	})
	if err != nil {
		return nil, err
	}
	return a, f.agents.Add(a)
}

func (f *fleet) register(*http.ServeMux) {}

func (f *fleet) close() error {
	errs := []error{f.agents.Close()}
	for _, s := range f.stores {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// attestation makes evidence for an agent's actions.
type attestation struct {
	process *boot.Process
	agent   *boot.Agent
}

// Boot names the evidence of this start.
func (a attestation) Boot(context.Context) (plugin.Evidence, error) {
	return named(a.process.Evidence().ID()), nil
}

// Attest makes an extract statement over text: the nonce is its hash, so equal texts at different times still differ by checkpoint.
func (a attestation) Attest(ctx context.Context, text string) (plugin.Evidence, error) {
	nonce := sha256.Sum256([]byte(text))
	document, err := a.process.Extract(ctx, nonce[:], "REMOTE_ATTESTATION", []byte(text), string(a.agent.Log.Checkpoint()))
	if err != nil {
		return plugin.Evidence{}, err
	}
	e, err := evidence.ParseEvidence(document)
	if err != nil {
		return plugin.Evidence{}, err
	}
	return named(e.ID()), nil
}

func named(id evidence.Digest) plugin.Evidence {
	return plugin.Evidence{Digest: id.String(), URL: "/v1/evidence/" + id.String()}
}
