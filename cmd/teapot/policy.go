package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/client"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/verify"
	"github.com/teapot-tee/teapot/verify/policyfile"
)

func newPolicyCmd() *cobra.Command {
	return newGroup(&cobra.Command{
		Use:   "policy",
		Short: "Write and explain what you accept",
	}, newPolicyInitCmd(), newPolicyExplainCmd())
}

func newPolicyInitCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:     "init URL",
		Short:   "Write a policy from what runs now; its comments say which lines a person must check elsewhere",
		Example: "  teapot policy init https://agent.example -o agent.toml",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			text, err := draftPolicy(cmd, given[0])
			if err != nil {
				return hinted(err)
			}
			if out == "" || out == "-" {
				_, err = cmd.OutOrStdout().Write(text)
				return err
			}
			return writeNew(out, text)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to `FILE`, which must not exist (default standard output)")
	return cmd
}

func draftPolicy(cmd *cobra.Command, url string) ([]byte, error) {
	c, err := client.New(url, client.Options{})
	if err != nil {
		return nil, &exitError{code: 64, err: err}
	}
	document, err := c.Evidence(cmd.Context(), "")
	if err != nil {
		return nil, err
	}
	o, err := verify.Observe(document)
	if err != nil {
		return nil, fmt.Errorf("the evidence of %s: %w", url, err)
	}
	ev, err := evidence.ParseEvidence(document)
	if err != nil {
		return nil, err
	}
	return policyfile.Draft(url, o, !verify.ClaimsIntelRoot(ev.Quote), time.Now()), nil
}

func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return &exitError{code: 2, err: err, hint: "a policy is not overwritten: choose another name or remove it"}
	}
	if _, err := f.Write(text); err != nil {
		return err
	}
	return f.Close()
}

func newPolicyExplainCmd() *cobra.Command {
	return &cobra.Command{
		Use: "explain FILE", Short: "Say in words what a policy accepts, and what it leaves unchecked", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			p, err := policyfile.Load(given[0])
			if err != nil {
				return &exitError{code: 2, err: err, hint: "docs/policy.md describes every key"}
			}
			return policyfile.Explain(cmd.OutOrStdout(), p)
		},
	}
}
