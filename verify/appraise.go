package verify

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/evidence"
)

// Appraise judges what a reader has in hand under the reader's policy, as of a time. The Result holds every check; the
// error is for input that cannot be judged at all (no such file, not ours, cut off).
func Appraise(in Input, p Policy, at time.Time) (Result, error) {
	if at.IsZero() {
		return Result{}, errors.New("verify: no time to judge at")
	}
	if err := p.Validate(); err != nil {
		return Result{}, err
	}
	if in.Verifier == nil {
		in.Verifier = new(dcap.Verifier)
	}
	a := &appraiser{verdict: verdict{policy: p}, in: in, at: at, result: Result{
		Type: ResultType, Target: in.Target, Kind: in.Kind, JudgedAt: at.UTC().Truncate(time.Second), Agents: []AgentResult{},
	}}
	if err := a.run(); err != nil {
		return Result{}, err
	}
	a.result.NotProven = a.notProven()
	a.fill(nothingThere + " in this " + in.Kind.noun())
	a.conclude(&a.result)
	if a.result.Exit != 0 {
		a.result.Remember = nil // memory is written only after every check passed
	}
	return a.result, nil
}

// appraiser walks one Input along the chain.
type appraiser struct {
	verdict
	in      Input
	at      time.Time
	result  Result
	current *start // the newest start shown; nil until its evidence was read
	starts  map[evidence.Digest]*start

	sessionShown bool // there is a session statement to compare the log with
}

func (a *appraiser) run() error {
	switch a.in.Kind {
	case KindURL:
		return a.url()
	case KindPeer:
		return a.peer()
	case KindBundle:
		return a.bundle()
	case KindReceipt:
		return a.receipt()
	case KindQuote:
		return a.quote()
	case KindEvidence:
		return a.document()
	case KindFork:
		return a.fork()
	}
	return fmt.Errorf("verify: unknown kind of target %q", a.in.Kind)
}

// url judges a server that answers now.
func (a *appraiser) url() error {
	notes, err := a.shown()
	if err != nil || a.current == nil {
		return err
	}
	for _, l := range a.in.Logs {
		if err := a.log(l, notes); err != nil {
			return err
		}
	}
	a.missingLogs()
	return nil
}

// shown judges the boot and session evidence that an end of a connection shows.
func (a *appraiser) shown() (notes map[string]string, err error) {
	boot, err := evidence.ParseEvidence(a.in.Boot)
	if err != nil {
		return nil, a.malformed("server's boot", a.in.Boot, err) // nothing of the rest can be placed without it
	}
	a.openCurrent(boot)
	session, err := evidence.ParseEvidence(a.in.Session)
	if err != nil {
		return nil, a.malformed("server's session", a.in.Session, err)
	}
	return a.openSession(session), nil
}

// peer judges the other end of a connection: all that a server shows but its log. What the policy demands of witnesses and of
// erasures only a log can show, so it then stays unmet.
func (a *appraiser) peer() error {
	if _, err := a.shown(); err != nil || a.current == nil {
		return err
	}
	for _, p := range a.current.parts {
		a.result.Agents = append(a.result.Agents, agentResult(p))
	}
	for _, key := range []string{"lineage", "signature", "consistency", "rollback"} {
		a.mayMiss = append(a.mayMiss, key+"."+linkHead[key])
	}
	if a.policy.Erasures != "refuse" {
		a.mayMiss = append(a.mayMiss, "entries."+linkHead["entries"])
	}
	if w := a.policy.Witnesses; w.Quorum == 0 && !w.Require {
		a.mayMiss = append(a.mayMiss, "witnesses.quorum")
	}
	if a.policy.MaxAge.Checkpoint > 0 {
		a.ageUnknown("a peer does not show its log, so the age of its checkpoint is unknown (max_age.checkpoint_hours)")
	}
	return nil
}

// openCurrent judges the newest boot evidence as of now.
func (a *appraiser) openCurrent(ev *evidence.Evidence) {
	s := a.start("boot", ev, a.at)
	a.current = s
	a.hardware([]judged{s.judged})
	if !s.readable() {
		return
	}
	a.bind("boot", ev, s.judged.report.Quote.ReportData())
	a.measurements(s, a.at)
	if s.boot == nil {
		return
	}
	a.result.Platform = s.boot.Platform
	a.platform(s)
	a.judgeKeys(s.boot, s.parts)
	a.custody(s.boot.Custody)
	a.keyChain(s)
	a.age("evidence", s.boot.Time, a.policy.MaxAge.Evidence)
}

// platform compares the statement's word for the platform with the quote, which decides.
func (a *appraiser) platform(s *start) {
	sgx := s.judged.report.Quote.Enclave != nil
	wants := s.boot.Platform == "gramine-sgx"
	if s.boot.Platform == "simulator" && a.simulated || sgx == wants && !(s.boot.Platform == "simulator") {
		return
	}
	a.add(appraisal.Check{
		ID: "hardware.platform", Outcome: appraisal.Failed, Detail: fmt.Sprintf("the statement says platform %q, the quote is of another kind", s.boot.Platform),
		Fault: "host", Remedy: "do not trust this server: it describes itself falsely",
	})
}

// maxAhead is how far a host's clock may run before the reader's.
const maxAhead = 10 * time.Minute

// age fails what is older than the policy allows. The time is the host's claim (milliseconds since 1970).
func (a *appraiser) age(what string, millis uint64, hours int) {
	if hours == 0 {
		return
	}
	made := time.UnixMilli(int64(millis))
	c := appraisal.Check{
		ID: "freshness.age", Outcome: appraisal.Passed, Detail: fmt.Sprintf("the %s is not older than your policy allows", what),
		Got: made.UTC().Format(time.RFC3339), Want: fmt.Sprintf("at most %d hours before %s", hours, a.at.UTC().Format(time.RFC3339)), Source: "your policy, max_age",
	}
	if a.at.Sub(made) > time.Duration(hours)*time.Hour {
		c.Outcome, c.Fault, c.Detail = appraisal.Failed, "operator", fmt.Sprintf("the %s is older than your policy allows", what)
		c.Remedy = "ask for newer evidence (a restart of the agent makes a new boot statement)"
	}
	if made.Sub(a.at) > maxAhead { // else a host whose clock runs ahead would never be too old
		c.Outcome, c.Fault, c.Detail = appraisal.Failed, "host", fmt.Sprintf("the %s says that it was made later than now, so its age is unknown", what)
		c.Remedy = "compare your clock; if it is right, the host's is not: ask the operator"
	}
	a.add(c)
}

// ageUnknown: the policy bounds an age that nothing here shows. That is unmet, not skipped.
func (a *appraiser) ageUnknown(why string) {
	a.add(appraisal.Check{
		ID: "freshness.age", Detail: why, Source: "your policy, max_age", Remedy: "ask for what shows its age, or leave this bound out of your policy",
	})
}

// openSession judges the session evidence and returns the checkpoints it attests, by origin.
func (a *appraiser) openSession(ev *evidence.Evidence) map[string]string {
	j := a.judge("session", ev, a.at)
	a.hardware([]judged{j})
	if j.err != nil || j.report.Quote == nil {
		return nil
	}
	if !a.bind("session", ev, j.report.Quote.ReportData()) {
		return nil
	}
	s, err := evidence.ParseSession(ev.Statement)
	if err != nil {
		a.badStatement("session", err)
		return nil
	}
	a.sameMachine(j)
	a.sessionShown = true
	if a.in.Kind == KindURL || a.in.Kind == KindPeer {
		a.judgeSession(s)
	} else {
		a.sameStart(s)
		a.age("file", s.Time, a.policy.MaxAge.File)
	}
	return notesByOrigin(s.Checkpoints)
}

// missingLogs: every agent of the boot statement has a log, and a server must not leave one out. A reader may.
func (a *appraiser) missingLogs() {
	if a.current == nil {
		return
	}
	for _, p := range a.current.parts {
		if a.hasLog(p.Agent) {
			continue
		}
		r := agentResult(p)
		r.Scope = "not asked for"
		a.result.Agents = append(a.result.Agents, r)
		if len(a.in.Only) == 0 || slices.Contains(a.in.Only, p.Agent) {
			a.add(appraisal.Check{
				ID: "entries.complete", Outcome: appraisal.Failed, Detail: "the server does not show the log of agent " + p.Agent + ", which its boot statement lists",
				Source: "the boot statement", Fault: "host", Remedy: "ask the operator where that log is; do not rely on what this machine's agents did",
			})
		}
	}
}

func (a *appraiser) hasLog(agent string) bool {
	for _, l := range a.in.Logs {
		if l.Agent == agent {
			return true
		}
	}
	return false
}
