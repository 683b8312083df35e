package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/client"
	"github.com/teapot-tee/teapot/dcap"
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
