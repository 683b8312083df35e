package main

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/dcap"
)

func newTCBCmd() *cobra.Command {
	var f judgeFlags
	cmd := &cobra.Command{
		Use:   "tcb FILE|-",
		Short: "Say how current the firmware behind a quote is, what is short and how many days are left",
		Long: `Compare the TCB that a quote was served with with the current level: what is short, what to do about it, and how
many days the collateral is still valid.

Exit 0: UpToDate, or accepted by the policy. 1: not. 2: could not judge. 64: usage.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			j, err := f.judge(cmd, given[0])
			if err != nil {
				return err
			}
			t := j.tcb()
			if f.asJSON {
				err = printJSON(cmd.OutOrStdout(), t)
			} else {
				t.print(cmd.OutOrStdout(), j.verdict())
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

// tcbJSON is the answer of "tcb --json".
type tcbJSON struct {
	Status           string          `json:"status"`
	Accepted         bool            `json:"accepted"`
	TEE              string          `json:"tee,omitempty"`
	FMSPC            string          `json:"fmspc,omitempty"`
	Served           *tcbLevelJSON   `json:"served,omitempty"`
	Current          *tcbLevelJSON   `json:"current,omitempty"` // TD 1.5: the module that runs now
	EvaluationNumber uint64          `json:"evaluation_number"`
	Short            dcap.Shortfalls `json:"short"`
	DaysLeft         int             `json:"days_left"`
	ValidUntil       string          `json:"valid_until,omitempty"`
	Failures         []string        `json:"failures"` // checks that failed before the TCB could count
}

type tcbLevelJSON struct {
	Status     string   `json:"status"`
	Platform   string   `json:"platform"`
	Module     string   `json:"module,omitempty"`
	QE         string   `json:"qe"`
	TCBDate    string   `json:"tcb_date"`
	Advisories []string `json:"advisories"`
}

func (j *judged) tcb() tcbJSON {
	r := j.report
	out := tcbJSON{
		Status: j.status(), Accepted: r.Accepted, EvaluationNumber: r.EvaluationNumber(), Short: dcap.Shortfalls{}, Failures: []string{},
		Served: levelOf(r.Launch), Current: levelOf(r.Current), ValidUntil: stamp(r.EarliestExpiration),
	}
	if r.Quote != nil {
		out.TEE = r.Quote.Header.TEE.String()
	}
	if r.PCK != nil {
		out.FMSPC = fmt.Sprintf("%x", r.PCK.FMSPC)
	}
	if r.Launch != nil && r.Launch.Shortfalls != nil {
		out.Short = r.Launch.Shortfalls
	}
	if !r.EarliestExpiration.IsZero() {
		out.DaysLeft = int(r.EarliestExpiration.Sub(j.at).Hours() / 24)
	}
	for _, c := range r.Checks {
		if c.Outcome.String() == "failed" {
			out.Failures = append(out.Failures, c.ID+": "+c.Detail)
		}
	}
	return out
}

func levelOf(e *dcap.Evaluation) *tcbLevelJSON {
	if e == nil {
		return nil
	}
	out := &tcbLevelJSON{
		Status: e.Status.String(), Platform: e.Platform.String(), Module: e.Module.String(), QE: e.QE.String(),
		TCBDate: time.Unix(e.TCBDate, 0).UTC().Format(time.DateOnly), Advisories: e.Advisories,
	}
	if out.Advisories == nil {
		out.Advisories = []string{}
	}
	return out
}

func (t tcbJSON) print(w io.Writer, verdict string) {
	fmt.Fprintf(w, "%s, FMSPC %s\n", t.TEE, cmp.Or(t.FMSPC, "unknown: the platform's certificate was not accepted"))
	t.Served.print(w, "served with")
	t.Current.print(w, "runs now")
	fmt.Fprintf(w, "%-12s  evaluation data number %d\n", "compared by", t.EvaluationNumber)
	for _, s := range t.Short {
		fmt.Fprintf(w, "%-12s  %s\n", "short", s)
	}
	if len(t.Short) == 0 && t.Served != nil {
		fmt.Fprintf(w, "%-12s  nothing\n", "short")
	}
	if t.ValidUntil != "" {
		fmt.Fprintf(w, "%-12s  %d (collateral until %s)\n", "days left", t.DaysLeft, t.ValidUntil)
	}
	for _, f := range t.Failures {
		fmt.Fprintf(w, "%-12s  %s\n", "failed", f)
	}
	fmt.Fprintf(w, "\n%s\n", verdict)
}

func (l *tcbLevelJSON) print(w io.Writer, name string) {
	if l == nil {
		return
	}
	fmt.Fprintf(w, "%-12s  %s of %s: platform %s", name, l.Status, l.TCBDate, l.Platform)
	if l.Module != "" {
		fmt.Fprintf(w, ", TDX module %s", l.Module)
	}
	fmt.Fprintf(w, ", quoting enclave %s\n", l.QE)
	for _, a := range l.Advisories {
		fmt.Fprintf(w, "%-12s  %s\n", "advisory", a)
	}
}
