package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/dcap/pcs"
	"github.com/teapot-tee/teapot/verify"
	"github.com/teapot-tee/teapot/verify/policyfile"
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

func (f *judgeFlags) registerFetch(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.root, "root", "", "trust the root certificate in `FILE` (PEM or DER) instead of Intel's")
	flags.StringVar(&f.pccs, "pccs", "", "fetch collateral from this PCCS or PCS `URL` (default Intel's PCS)")
	flags.StringVar(&f.update, "update", "", "fetch TCB levels as they are published `WHEN`: early (at once) or standard (default the service's, standard)")
	flags.Uint64Var(&f.evaluation, "evaluation", 0, "fetch the TCB levels of this evaluation data `NUMBER` instead")
	flags.StringVar(&f.cache, "cache", defaultCollateralCache(), "`DIR` for fetched collateral; empty keeps nothing")
}

// defaultCollateralCache is in the user's cache directory; "" where there is none.
func defaultCollateralCache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "teapot", "collateral")
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

// parseTime reads RFC 3339 or Unix seconds; "" is now.
func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Now(), nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0).UTC(), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("--at: %q is neither RFC 3339 (2026-06-15T12:00:00Z) nor Unix seconds", text)
	}
	return at, nil
}

// readRoot reads a root certificate in PEM or DER; "" means Intel's.
func readRoot(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	b, err := readInput(path, nil)
	if err != nil {
		return nil, &exitError{code: 2, err: fmt.Errorf("--root: %w", err)}
	}
	if block, _ := pem.Decode(b); block != nil {
		b = block.Bytes
	}
	return b, nil
}

// readPolicy reads the file that "teapot verify" reads too; "" and an empty file are the strict policy.
func readPolicy(path string) (verify.Policy, error) {
	if path == "" {
		return verify.Policy{}, nil
	}
	p, err := policyfile.Load(path)
	if err != nil {
		return verify.Policy{}, &exitError{code: 2, err: fmt.Errorf("--policy: %w", err)}
	}
	return p, nil
}

// readCollateral reads the file, takes what lies beside the quote in a JSON document (evidence), or fetches. A quote
// that does not parse needs none: it is judged malformed.
func (f *judgeFlags) readCollateral(ctx context.Context, input, quote []byte, o dcap.Options) (*dcap.Collateral, error) {
	text, err := f.collateralText(ctx, input, quote, o)
	if err != nil {
		return nil, err
	}
	if text == nil {
		return &dcap.Collateral{}, nil
	}
	c, err := dcap.ParseCollateral(text)
	if err != nil {
		return nil, &exitError{code: 2, err: err, hint: "collateral is dcap-qvl's JSON: \"teapot quote collateral\" writes it"}
	}
	return c, nil
}

// collateralText returns nil where no collateral could help.
func (f *judgeFlags) collateralText(ctx context.Context, input, quote []byte, o dcap.Options) ([]byte, error) {
	if f.collateral != "" {
		text, err := readInput(f.collateral, nil)
		if err != nil {
			return nil, &exitError{code: 2, err: fmt.Errorf("--collateral: %w", err)}
		}
		return text, nil
	}
	q, err := dcap.Parse(quote)
	if err != nil {
		return nil, nil //nolint:nilerr // Verify says what is wrong with the quote
	}
	if text := embeddedCollateral(input); text != nil {
		return text, nil
	}
	root := foreignRoot(quote)
	switch {
	case root == nil || o.Root != nil || f.pccs != "":
		return f.fetch(ctx, quote, o.Root)
	case o.AllowSimulated:
		return simulatedCollateral(ctx, q, root)
	}
	return nil, nil // nobody's collateral helps a root that is not trusted; Verify says so
}

// embeddedCollateral is the member "collateral" of a JSON document, as evidence has it; nil without.
func embeddedCollateral(input []byte) []byte {
	var document struct{ Collateral json.RawMessage }
	if json.Unmarshal(input, &document) != nil || len(document.Collateral) == 0 || document.Collateral[0] != '{' {
		return nil
	}
	return document.Collateral
}

func (f *judgeFlags) fetch(ctx context.Context, quote, root []byte) (json.RawMessage, error) {
	client := pcs.Client{BaseURL: f.pccs, Dir: f.cache, Root: root, Update: f.update, Number: f.evaluation}
	text, err := client.Collateral(ctx, quote)
	if err != nil {
		return nil, &exitError{code: 2, err: fmt.Errorf("no collateral: %w", err), hint: noCollateral(err)}
	}
	return text, nil
}

// checkFetch refuses flags that contradict each other.
func (f *judgeFlags) checkFetch() error {
	switch {
	case f.update != "" && f.update != pcs.UpdateEarly && f.update != pcs.UpdateStandard:
		return &exitError{code: 64, err: fmt.Errorf("--update %q: want %s or %s", f.update, pcs.UpdateEarly, pcs.UpdateStandard)}
	case f.update != "" && f.evaluation != 0:
		return &exitError{code: 64, err: errors.New("--update and --evaluation exclude each other")}
	}
	return nil
}

// noCollateral says what to do when none could be fetched.
func noCollateral(err error) string {
	var retired *pcs.RetiredError
	switch {
	case errors.As(err, &retired):
		return "ask for one that is served (--evaluation NUMBER), or leave the flag out"
	case errors.Is(err, pcs.ErrRollback):
		return "older levels than this machine has seen are never used again; if you saw newer ones with --update early, say so again"
	}
	return "pass --collateral FILE, or --pccs URL of a caching service that you can reach"
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
