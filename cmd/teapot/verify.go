package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/bundle"
	"github.com/teapot-tee/teapot/client"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/dcap/pcs"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/verify"
	"github.com/teapot-tee/teapot/verify/policyfile"
)

// verifyFlags are the flags of `teapot verify`.
type verifyFlags struct {
	allowSimulated, asJSON, forget, whole bool
	policy, channel, at, pccs             string
	agents                                []string
	query                                 client.BundleQuery
	watch                                 time.Duration
}

func newVerifyCmd() *cobra.Command {
	f := &verifyFlags{}
	cmd := &cobra.Command{
		Use:   "verify TARGET",
		Short: "Check an agent, link by link, from the CPU maker's root to each entry of its log",
		Long: `Check an agent, link by link, from the CPU maker's root to each entry of its log.

TARGET is the address of a running Teapot, or a file: a bundle, a receipt, a quote, an evidence document or evidence of a
fork; files are recognised by content. Exit code: 0 the policy is met, 1 it is not, 2 could not judge, 64 usage.

What this machine saw of a log is remembered in $TEAPOT_STATE (default ~/.local/state/teapot), so that the second look
notices a fork or an old disk.`,
		Example: "  teapot verify http://127.0.0.1:3000 --allow-simulated\n  teapot verify agent.bundle --policy agent.toml",
		Args:    args(cobra.ExactArgs(1)),
		RunE:    func(cmd *cobra.Command, given []string) error { return runVerify(cmd, given[0], f) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.allowSimulated, "allow-simulated", false, "accept a simulator's root and its unknown code (tier warning, headline SIMULATED)")
	flags.BoolVar(&f.asJSON, "json", false, "print the result as JSON (docs/verdict.schema.json)")
	flags.StringVar(&f.policy, "policy", "", "policy `FILE` (TOML, docs/policy.md)")
	flags.StringSliceVar(&f.agents, "agent", nil, "only this agent `UUID` (repeatable)")
	flags.Uint64Var(&f.query.From, "from", 0, "only entries from this `INDEX` on, with proof that the part is complete")
	flags.Uint64Var(&f.query.To, "to", 0, "only entries before this `INDEX`")
	flags.StringVar(&f.query.Type, "type", "", "only entries of this `TYPE`, with proof that none is missing")
	flags.BoolVar(&f.whole, "whole", false, "walk whole logs again, also what this machine verified before")
	flags.StringVar(&f.channel, "channel", "", "bind the session to `KIND`: tls, hpke (passes through proxies) or none")
	flags.StringVar(&f.pccs, "pccs", "", "fetch collateral from this PCCS or PCS `URL` (default Intel's PCS)")
	flags.StringVar(&f.at, "at", "", "judge a file as of this `TIME` (RFC 3339)")
	flags.DurationVar(&f.watch, "watch", 0, "verify again and again and print what changes; --watch=`INTERVAL`, 30s if not given")
	flags.Lookup("watch").NoOptDefVal = "30s"
	flags.BoolVar(&f.forget, "forget", false, "first forget what this machine saw of the target (after you reset the agent yourself)")
	return cmd
}

func runVerify(cmd *cobra.Command, target string, f *verifyFlags) error {
	if err := f.check(target); err != nil {
		return &exitError{code: 64, err: err}
	}
	policy, err := f.loadPolicy()
	if err != nil {
		return &exitError{code: 64, err: err, hint: "teapot policy explain FILE says what a policy means"}
	}
	memory, err := client.OpenMemory()
	if err != nil {
		return err
	}
	v := &verifier{flags: f, policy: policy, memory: memory, out: cmd.OutOrStdout(), progress: newProgress(cmd.ErrOrStderr())}
	if f.watch > 0 {
		return v.watch(cmd.Context(), target)
	}
	result, err := v.once(cmd.Context(), target)
	if err != nil {
		return v.unjudged(target, err)
	}
	return v.print(result)
}

// check refuses flags that mean nothing for the target.
func (f *verifyFlags) check(target string) error {
	switch f.channel {
	case "", evidence.ChannelHPKE, evidence.ChannelNone:
	case evidence.ChannelTLS:
		if !strings.HasPrefix(target, "https://") {
			return errors.New("--channel tls: the target is no https address")
		}
	default:
		return fmt.Errorf("--channel %q: want tls, hpke or none", f.channel)
	}
	if !isAddress(target) && (f.watch > 0 || f.forget || f.channel != "" || f.query.From+f.query.To > 0 || f.query.Type != "" || len(f.agents) > 0) {
		return errors.New("--watch, --forget, --channel, --agent, --from, --to and --type are for addresses, not for files")
	}
	return nil
}

func (f *verifyFlags) loadPolicy() (p verify.Policy, err error) {
	if f.policy != "" {
		if p, err = policyfile.Load(f.policy); err != nil {
			return p, err
		}
	}
	if f.allowSimulated {
		p.Simulated = "allow"
	}
	return p, nil
}

// verifier carries what one command line verifies with.
type verifier struct {
	flags    *verifyFlags
	policy   verify.Policy
	memory   *client.Memory
	dcap     dcap.Verifier
	out      io.Writer
	progress *progress
}

func (v *verifier) once(ctx context.Context, target string) (verify.Result, error) {
	if isAddress(target) {
		return v.address(ctx, target)
	}
	return v.file(ctx, target)
}

func isAddress(target string) bool {
	return strings.HasPrefix(target, "http://") || strings.HasPrefix(target, "https://")
}

// address looks at a server, and once more where the agent seems to have started anew meanwhile. Where the log does not continue what was seen, it looks once more at the whole log, which
// gives evidence of the fork.
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

func (v *verifier) appraise(ctx context.Context, in verify.Input) (verify.Result, error) {
	at, err := v.flags.time(in.Kind)
	if err != nil {
		return verify.Result{}, err
	}
	in.Verifier, in.Progress = &v.dcap, v.progress.show
	in.Collateral = v.collateral(ctx)
	defer v.progress.clear()
	return verify.Appraise(in, v.policy, at)
}

func (f *verifyFlags) time(kind verify.Kind) (time.Time, error) {
	if f.at == "" {
		return time.Now(), nil
	}
	at, err := time.Parse(time.RFC3339, f.at)
	if err != nil {
		return at, &exitError{code: 64, err: fmt.Errorf("--at %q: want a time like 2026-11-25T12:00:00Z", f.at)}
	}
	if kind == verify.KindURL {
		return at, &exitError{code: 64, err: errors.New("--at is for files: a server is judged now")}
	}
	return at, nil
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

// remember keeps what the verdict allows to remember, and tells of evidence of forks.
func (v *verifier) remember(r verify.Result) error {
	if v.flags.at != "" {
		r.Remember = nil // what was good as of some other day is no ground to stand on today
	}
	forks, err := v.memory.RememberAll(r)
	for _, path := range forks {
		v.progress.say("evidence of the fork: %s (anybody can check it: teapot verify FILE)", path)
	}
	return err
}

// print writes the result, remembers what may be remembered, and turns the verdict into the exit code.
func (v *verifier) print(r verify.Result) error {
	err := v.remember(r)
	if err != nil {
		return err
	}
	if v.flags.asJSON {
		enc := json.NewEncoder(v.out)
		enc.SetIndent("", "  ")
		err = enc.Encode(r)
	} else {
		err = r.WriteText(v.out)
	}
	if err != nil || r.Exit == 0 {
		return err
	}
	return &exitError{code: r.Exit}
}

// unjudged reports that there is no verdict; with --json as a result of tier none, so that a program reads one shape.
func (v *verifier) unjudged(target string, err error) error {
	exit := &exitError{code: 2, err: err}
	if !errors.As(err, &exit) {
		exit.hint = nextStep(err)
	}
	if v.flags.asJSON && exit.code == 2 {
		r := verify.Unjudged(target, err, time.Now())
		if err := json.NewEncoder(v.out).Encode(r); err != nil {
			return err
		}
	}
	return exit
}

// nextStep says what to do when there is no verdict.
func nextStep(err error) string {
	var typed *client.Error
	var cut *bundle.TruncatedError
	switch {
	case errors.As(err, &typed):
		return typed.Hint()
	case errors.As(err, &cut):
		return "fetch it again (teapot bundle URL -o FILE); if it breaks off again, something in between cuts it"
	}
	return "fetch it again; if it stays, whoever made it made it wrong, or with a newer version"
}

// watch verifies again and again, and prints the whole result whenever the verdict changes.
func (v *verifier) watch(ctx context.Context, target string) error {
	if v.flags.watch < time.Second {
		return &exitError{code: 64, err: errors.New("--watch: want at least 1s")}
	}
	last, code := "", 0
	for {
		r, err := v.once(ctx, target)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			r = verify.Unjudged(target, err, time.Now())
		}
		code = r.Exit
		if key := r.Headline + fmt.Sprint(r.Exit); key != last {
			last = key
			var exit *exitError
			if err := v.print(r); err != nil && !errors.As(err, &exit) {
				return err
			}
		} else {
			if err := v.remember(r); err != nil { // each look: what grew in between must not be taken back unnoticed
				return err
			}
			v.progress.say("%s unchanged: %s", time.Now().Format(time.TimeOnly), verify.Clean(r.Headline))
		}
		select {
		case <-ctx.Done():
		case <-time.After(v.flags.watch):
			continue
		}
		break
	}
	return &exitError{code: code}
}
