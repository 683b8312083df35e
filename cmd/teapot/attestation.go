package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/ratls"
	"github.com/teapot-tee/teapot/server"
)

// attestation makes evidence for an agent's actions.
type attestation struct {
	process *boot.Process
	agent   *boot.Agent
	budget  *ratls.Budget
}

// Boot names the evidence of this start.
func (a attestation) Boot(context.Context) (plugin.Evidence, error) {
	return named(a.process.Evidence().ID()), nil
}

// Attest makes an extract statement over text: the nonce is its hash; equal texts at different times differ by checkpoint and time.
func (a attestation) Attest(ctx context.Context, text string) (plugin.Evidence, error) {
	if !server.MayQuote(ctx) {
		return plugin.Evidence{}, errors.New("you had your share of fresh quotes; ask again in a few seconds")
	}
	if wait := a.budget.Take(time.Now()); wait > 0 {
		return plugin.Evidence{}, fmt.Errorf("quotes are made at a limited rate for everybody; ask again in %s", wait.Round(time.Second))
	}
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
