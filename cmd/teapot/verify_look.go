package main

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/client"
	"github.com/teapot-tee/teapot/dcap/pcs"
	"github.com/teapot-tee/teapot/verify"
)

func isAddress(target string) bool {
	return strings.HasPrefix(target, "http://") || strings.HasPrefix(target, "https://")
}

// address looks at a server, and once more where the agent seems to have started anew meanwhile. Where the log does not continue what was
// seen, it looks once more at the whole log, which gives evidence of the fork.
func (v *verifier) address(ctx context.Context, target string) (verify.Result, error) {
	result, err := v.look(ctx, target, v.flags.whole)
	if err == nil && result.Find("lineage.current").Outcome == appraisal.Failed { // perhaps a start between two requests
		result, err = v.look(ctx, target, v.flags.whole)
	}
	if err != nil || v.flags.whole || !result.Contradicts() {
		return result, err
	}
	return v.look(ctx, target, true)
}

func (v *verifier) look(ctx context.Context, target string, whole bool) (verify.Result, error) {
	c, err := client.New(target, client.Options{})
	if err != nil {
		return verify.Result{}, &exitError{code: 64, err: err}
	}
	if v.flags.forget {
		if err := v.forget(ctx, c); err != nil {
			return verify.Result{}, err
		}
	}
	in, err := c.Look(ctx, v.memory, client.LookOptions{Agents: v.flags.agents, Query: v.flags.query, Channel: v.flags.channel, Whole: whole, Policy: v.policy})
	if err != nil {
		return verify.Result{}, err
	}
	return v.appraise(ctx, in)
}

func (v *verifier) forget(ctx context.Context, c *client.Client) error {
	v.flags.forget = false // once, not at every look
	info, err := c.Info(ctx)
	if err != nil {
		return err
	}
	for _, a := range info.Agents {
		if err := v.memory.Forget(c.Address(), a.ID); err != nil {
			return err
		}
	}
	return nil
}

// collateral asks Intel for genuine quotes only; a simulator's chain leads to no service. A log can have many starts, so
// after one failure nobody is asked again: what the evidence brings is used then.
func (v *verifier) collateral(ctx context.Context) func([]byte) (json.RawMessage, error) {
	fetcher := &pcs.Client{Dir: defaultCollateralCache(), BaseURL: v.flags.pccs}
	var failed error
	return func(quote []byte) (json.RawMessage, error) {
		if failed != nil || v.flags.at != "" || !verify.ClaimsIntelRoot(quote) {
			return nil, failed
		}
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		var raw json.RawMessage
		raw, failed = fetcher.Collateral(ctx, quote)
		return raw, failed
	}
}
