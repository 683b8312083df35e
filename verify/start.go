package verify

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/evidence"
)

// start is one start of the agent's process: its evidence and what was read from it.
type start struct {
	name     string
	evidence *evidence.Evidence
	judged   judged
	boot     *evidence.Boot        // nil: unreadable
	parts    []*evidence.AgentPart // nil: unreadable
	bound    bool                  // the quote is over this statement
}

// start judges and reads one start's evidence; the same evidence is judged once.
func (a *appraiser) start(name string, ev *evidence.Evidence, at time.Time) *start {
	if s, ok := a.starts[ev.ID()]; ok && bytes.Equal(s.evidence.Quote, ev.Quote) {
		return s
	}
	s := &start{name: name, evidence: ev, judged: a.judge(name, ev, at)}
	s.boot, s.parts = a.readBoot(name, ev)
	s.bound = s.readable() && s.judged.report.Quote.ReportData() == evidence.ReportData(ev.Statement)
	if a.starts == nil {
		a.starts = map[evidence.Digest]*start{}
	}
	a.starts[ev.ID()] = s
	return s
}

// readable says whether there is a quote to look into.
func (s *start) readable() bool { return s.judged.err == nil && s.judged.report.Quote != nil }

// sameMachine demands that a session or extract quote shows the code of the current boot quote: same registers, except
// that the runtime register may have gone on by events of the application.
func (a *appraiser) sameMachine(j judged) {
	if a.current == nil || !a.current.readable() {
		return
	}
	was, now := measured{values: map[string]string{}}, measured{values: map[string]string{}}
	if q := a.current.judged.report.Quote; q.Enclave != nil {
		was.enclave(q.Enclave)
	} else {
		was.td(q.TD)
	}
	if q := j.report.Quote; q.Enclave != nil {
		now.enclave(q.Enclave)
	} else {
		now.td(q.TD)
	}
	c := appraisal.Check{
		ID: "measurements.session", Outcome: appraisal.Passed, Detail: "the session quote shows the same code as the boot quote",
		Source: "the boot quote's registers",
	}
	for name, want := range ordered(was.values) {
		if got := now.values[name]; got != want && !(name == "rtmr3" && a.continues(j)) {
			c.Got, c.Want = fmt.Sprintf("%s %s %s", c.Got, name, orNone(got)), fmt.Sprintf("%s %s %s", c.Want, name, want)
		}
	}
	if a.genuine(j.report) != a.genuine(a.current.judged.report) || j.report.RootSHA256 != a.current.judged.report.RootSHA256 {
		c.Got, c.Want = fmt.Sprintf("root %x", j.report.RootSHA256), fmt.Sprintf("root %x", a.current.judged.report.RootSHA256)
	}
	if why := a.strangeLog(j); why != "" {
		c.Got, c.Want = strings.TrimSpace(c.Got+" "+why), strings.TrimSpace(c.Want+" what belongs to the session quote")
	}
	if c.Got != "" || len(now.values) != len(was.values) || now.isvsvn != was.isvsvn {
		c.Outcome, c.Fault = appraisal.Failed, "host"
		c.Detail = "the session quote comes from other code, or another root of trust, than the boot quote"
		c.Remedy = "another machine answered for this one: do not trust it"
	}
	a.add(c)
}

// strangeLog says what the session brings beside its quote that is not its own; "" is nothing. A session needs neither log nor
// compose file, but what is shown is checked.
func (a *appraiser) strangeLog(j judged) string {
	td := j.report.Quote.TD
	if len(j.evidence.EventLog) > 0 && td != nil {
		if _, ok := replayed(j.evidence, td); !ok {
			return "an event log that does not give its registers"
		}
	}
	if own := a.current.evidence.AppCompose; len(j.evidence.AppCompose) > 0 && !bytes.Equal(j.evidence.AppCompose, own) {
		return "another compose file than the boot evidence"
	}
	return ""
}

// continues says whether the session's event log begins with the boot quote's whole log and replays to its register.
func (a *appraiser) continues(j judged) bool {
	before, ok := replayed(a.current.evidence, a.current.judged.report.Quote.TD)
	after, ok2 := replayed(j.evidence, j.report.Quote.TD)
	if !ok || !ok2 || len(after) < len(before) {
		return false
	}
	for i, e := range before {
		if e.IMR != after[i].IMR || e.Digest != after[i].Digest {
			return false
		}
	}
	return true
}
