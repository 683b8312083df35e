package verify

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/teapot-tee/teapot/appraisal"
)

// words of the outcomes in text; the word carries the meaning, colour never does.
var words = map[appraisal.Outcome]string{
	appraisal.Passed: "ok", appraisal.Failed: "FAIL", appraisal.Warning: "warn", appraisal.NotChecked: "-",
}

// WriteText prints the Result for people: the headline, the chain link by link, what is wrong, whose fault it is and
// what to do, and last what is not proven even so.
func (r Result) WriteText(w io.Writer) error {
	p := &printer{w: w}
	p.line("%s", r.Headline)
	p.line("")
	p.line("target    %s (%s)", r.Target, r.Kind)
	if r.Platform != "" {
		p.line("platform  %s%s", r.Platform, map[bool]string{true: " (SIMULATED)"}[r.Simulated])
	}
	p.line("judged    as of %s", r.JudgedAt.UTC().Format("2006-01-02 15:04:05 UTC"))
	p.chain(r.Checks)
	p.agents(r.Agents)
	p.wrong("What is wrong", r.Checks, func(c appraisal.Check) bool { return !slices.Contains(r.Waived, c.ID) })
	p.wrong("What is waived", r.Checks, func(c appraisal.Check) bool { return slices.Contains(r.Waived, c.ID) })
	p.line("")
	p.line("Not proven: %s", r.NotProven)
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err != nil {
		return
	}
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = Clean(s)
		}
	}
	_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
}

func (p *printer) chain(checks []appraisal.Check) {
	link := ""
	var missing []string
	for _, c := range checks {
		if absent(c) {
			missing = append(missing, c.Link)
			continue
		}
		if c.Link != link {
			link = c.Link
			p.line("")
			p.line("%s", link)
		}
		detail := c.Detail
		if c.Outcome == appraisal.NotChecked {
			detail = "not checked (" + detail + ")"
		}
		p.line("  %-4s  %-24s %s", words[c.Outcome], c.ID, detail)
	}
	if len(missing) > 0 {
		p.line("")
		p.line("not checked, because there is nothing of it here: %s", strings.Join(missing, ", "))
	}
}

func (p *printer) agents(agents []AgentResult) {
	for _, a := range agents {
		p.line("")
		p.line("agent %s %s", a.ID, a.Name)
		p.line("  log      %s", a.Origin)
		starts := ""
		if a.Starts > 0 {
			starts = fmt.Sprintf(", %d starts", a.Starts)
		}
		p.line("  entries  %d in the log%s; verified now: %d (%s)", a.Size, starts, a.Verified, a.Scope)
		for who, n := range ordered(a.Erased) {
			p.line("  erased   %d by %s", n, who)
		}
		for _, wallet := range a.Wallets {
			p.line("  wallet   %s %s%s", wallet.Chain, wallet.Address, map[bool]string{true: " (shared with other processes in the guest)"}[wallet.Shared])
		}
	}
}

// wrong lists what failed or warns. A check that was not made is no finding unless it has a remedy.
func (p *printer) wrong(title string, checks []appraisal.Check, mine func(appraisal.Check) bool) {
	n := 0
	for _, c := range checks {
		if !mine(c) || c.Outcome == appraisal.Passed || c.Outcome == appraisal.NotChecked && c.Remedy == "" {
			continue
		}
		if n++; n == 1 {
			p.line("")
			p.line("%s", title)
		}
		p.finding(n, c)
	}
}

func (p *printer) finding(n int, c appraisal.Check) {
	p.line("  %d. %s %s: %s", n, words[c.Outcome], c.ID, c.Detail)
	for _, row := range []struct{ label, text string }{
		{"found", c.Got}, {"wanted", c.Want}, {"according to", c.Source}, {"whose fault", c.Fault}, {"what to do", c.Remedy},
	} {
		if row.text != "" {
			p.line("       %-13s %s", row.label, row.text)
		}
	}
}

// maxForeign bounds what one foreign text may take of a reader's screen, in bytes.
const maxForeign = 1024

// Clean makes foreign text harmless on a terminal: control characters, escapes and direction overrides become U+FFFD,
// and what is longer than 1 KiB is cut.
func Clean(s string) string {
	if len(s) > maxForeign {
		s = strings.ToValidUTF8(s[:maxForeign], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if r == '\t' || !unicode.IsControl(r) && !unicode.Is(unicode.Bidi_Control, r) && r != '\u2028' && r != '\u2029' {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
