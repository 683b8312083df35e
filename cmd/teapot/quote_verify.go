package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/dcap"
)

// judgeFlags are the flags of the commands that judge a quote.
type judgeFlags struct {
	collateral, root, at, policy string
	pccs, cache, update          string
	evaluation                   uint64
	allowSimulated, asJSON       bool
}

func (f *judgeFlags) register(cmd *cobra.Command) {
	f.registerFetch(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.collateral, "collateral", "", "collateral `FILE` (dcap-qvl JSON); default: fetch it")
	flags.StringVar(&f.at, "at", "", "judge at this `TIME`, RFC 3339 or Unix seconds (default now)")
	flags.StringVar(&f.policy, "policy", "", "policy `FILE` (TOML); default: UpToDate and nothing unusual")
	flags.BoolVar(&f.allowSimulated, "allow-simulated", false, "trust the chain's own root when it is not Intel's; the verdict says SIMULATED")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
}

func newQuoteVerifyCmd() *cobra.Command {
	var f judgeFlags
	cmd := &cobra.Command{
		Use:   "verify FILE|-",
		Short: "Verify a quote up to the CPU maker's root and judge its TCB",
		Long: `Verify a quote up to the CPU maker's root and judge its TCB by Intel's algorithm.

Exit 0: verified and accepted by the policy. 1: judged and not accepted, forged, expired and malformed quotes included.
2: could not judge (unreadable input, no collateral). 64: usage.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			j, err := f.judge(cmd, given[0])
			if err != nil {
				return err
			}
			if f.asJSON {
				err = printJSON(cmd.OutOrStdout(), j.json())
			} else {
				j.print(cmd.OutOrStdout())
			}
			if err == nil && !j.report.Accepted {
				return &exitError{code: 1}
			}
			return err
		},
	}
	f.register(cmd)
	return cmd
}

// judged is a report and how it came about.
type judged struct {
	report *dcap.Report
	at     time.Time
	root   string // "intel", "named" or "chain": whose root is trusted
}

// judge reads everything the flags name and verifies. Its errors carry exit codes: 2, or 64 for a bad time.
func (f *judgeFlags) judge(cmd *cobra.Command, path string) (*judged, error) {
	at, err := parseTime(f.at)
	if err != nil {
		return nil, &exitError{code: 64, err: err}
	}
	if err := f.checkFetch(); err != nil {
		return nil, err
	}
	input, raw, err := readQuoteInput(path, cmd.InOrStdin())
	if err != nil {
		return nil, err
	}
	o := dcap.Options{At: at, AllowSimulated: f.allowSimulated}
	if o.Root, err = readRoot(f.root); err != nil {
		return nil, err
	}
	p, err := readPolicy(f.policy)
	if err != nil {
		return nil, err
	}
	if len(p.Code)+len(p.Agents) > 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "teapot: note: code and agents of the policy are judged by \"teapot verify\", not here")
	}
	o.Policy, o.AllowSimulated = p.DCAP(), o.AllowSimulated || p.Simulated == "allow"
	c, err := f.readCollateral(cmd.Context(), input, raw, o)
	if err != nil {
		return nil, err
	}
	var v dcap.Verifier
	r, err := v.Verify(raw, c, o)
	if err != nil {
		return nil, &exitError{code: 2, err: err}
	}
	return &judged{report: r, at: at, root: rootKind(r, o)}, nil
}

func rootKind(r *dcap.Report, o dcap.Options) string {
	switch {
	case o.Root != nil:
		return "named"
	case r.Simulated:
		return "chain"
	}
	return "intel"
}

// status is the status with the word SIMULATED first where the chain's own root was trusted.
func (j *judged) status() string {
	s := j.report.Status.String()
	if j.root == "chain" && s != "" {
		return "SIMULATED " + s
	}
	return s
}

func (j *judged) print(w io.Writer) {
	r := j.report
	for _, c := range r.Checks {
		fmt.Fprintf(w, "%-11s  %-26s  %s\n", c.Outcome, c.ID, c.Detail)
		if c.Remedy != "" {
			fmt.Fprintf(w, "%-11s  %-26s  → %s\n", "", "", c.Remedy)
		}
	}
	fmt.Fprintln(w)
	j.printHead(w)
	fmt.Fprintf(w, "\n%s\n", j.verdict())
}

// printHead prints who is judged, by what and until when.
func (j *judged) printHead(w io.Writer) {
	r := j.report
	switch j.root {
	case "intel":
		fmt.Fprintln(w, "trusted root   Intel SGX Root CA (pinned)")
	case "named":
		fmt.Fprintf(w, "trusted root   NOT the pinned Intel root: named by --root, SHA-256 %x\n", r.RootSHA256)
	default:
		fmt.Fprintf(w, "trusted root   SIMULATED: the chain's own, SHA-256 %x\n", r.RootSHA256)
	}
	if r.PCK != nil {
		fmt.Fprintf(w, "platform       %s, FMSPC %x\n", r.Quote.Header.TEE, r.PCK.FMSPC)
	}
	if r.Launch != nil {
		fmt.Fprintf(w, "TCB            %s; evaluation data number %d, TCB date %s\n", contributions(r.Launch), r.EvaluationNumber(), r.TCBDate.Format(time.DateOnly))
	}
	if !r.EarliestExpiration.IsZero() {
		fmt.Fprintf(w, "judged at      %s; the collateral is valid until %s\n", j.at.UTC().Format(time.RFC3339), r.EarliestExpiration.Format(time.RFC3339))
	}
}

func contributions(e *dcap.Evaluation) string {
	out := "platform " + e.Platform.String()
	if e.Module != dcap.StatusNone {
		out += ", TDX module " + e.Module.String()
	}
	return out + ", quoting enclave " + e.QE.String()
}

func (j *judged) verdict() string {
	switch {
	case j.report.Accepted:
		return "accepted: " + j.status()
	case j.report.Status != dcap.StatusNone:
		return "NOT accepted: " + j.status() + " (" + string(j.report.Class) + ")"
	}
	return "NOT accepted: not verified (" + string(j.report.Class) + ")"
}
