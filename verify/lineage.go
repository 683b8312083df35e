package verify

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/tlog"
)

// lineage checks every start of the log that the walk came by: its evidence, its quote, what it found, what it promised.
func (w *logWalk) lineage() {
	if w.report == nil {
		return
	}
	bad := len(w.a.checks)
	before, unknown := w.before()
	if unknown && !w.a.policy.Lineage.AcceptWeaker {
		w.fail("lineage.policy", "the evidence of the start that this machine verified last is not here: whether the newer ones hold themselves to less cannot be told", "", "", "host", "verify the whole log: teapot verify URL --whole")
	}
	for i := range w.report.Starts {
		s := w.openStart(&w.report.Starts[i])
		if s != nil && before != nil {
			w.notWeaker(&w.report.Starts[i], before, s)
		}
		if s != nil {
			before = s
		}
	}
	w.newestIsCurrent()
	w.history()
	if len(w.a.checks) == bad {
		n := len(w.report.Starts)
		w.a.pass("lineage.starts", w.label+fmt.Sprintf("%d starts, each with a quote of the same kind of root, over the log it found", n), "", "boot leaves and their evidence")
	}
}

func (w *logWalk) fail(id, detail, got, want, fault, remedy string) {
	w.a.add(appraisal.Check{ID: id, Outcome: appraisal.Failed, Detail: w.label + detail, Got: got, Want: want, Source: "boot leaf and attested boot statement", Fault: fault, Remedy: remedy})
}

const remedyStart = "do not rely on entries from this start on; ask the operator for the evidence of that start"

// openStart finds and judges the evidence that a boot leaf names.
func (w *logWalk) openStart(r *tlog.StartReport) *start {
	name := fmt.Sprintf("start %d", r.Number)
	ev := w.docs[r.Start.Evidence]
	if ev == nil {
		w.fail("lineage.starts", name+": its evidence is not here", "", hex.EncodeToString(r.Start.Evidence[:]), "host", remedyStart)
		return nil
	}
	if got := ev.ID(); got != evidence.Digest(r.Start.Statement) {
		w.fail("lineage.starts", name+": the evidence is over another statement than the boot leaf names", got.String(), hex.EncodeToString(r.Start.Statement[:]), "host", remedyStart)
		return nil
	}
	if w.a.current != nil && ev.ID() == w.a.current.evidence.ID() {
		w.matches(name, r, w.a.current)
		return w.a.current
	}
	s := w.a.start(name, ev, w.a.at)
	if !s.readable() || !s.bound {
		w.fail("lineage.starts", name+": its quote cannot be read or is not over its boot statement", "", "", "host", remedyStart)
		return nil
	}
	w.judgeEarlier(name, s, r)
	w.matches(name, r, s)
	return s
}

// matches compares a boot leaf with the attested statement and agent part.
func (w *logWalk) matches(name string, r *tlog.StartReport, s *start) {
	if s.boot == nil {
		return
	}
	var part *evidence.AgentPart
	for i, raw := range s.evidence.Parts {
		if evidence.Sum(raw) == evidence.Digest(r.Start.Part) && i < len(s.parts) {
			part = s.parts[i]
		}
	}
	if part == nil {
		w.fail("lineage.starts", name+": the boot leaf names an agent part that its statement does not list", "", hex.EncodeToString(r.Start.Part[:]), "host", remedyStart)
		return
	}
	var diff []string
	differ := func(is bool, text string) {
		if is {
			diff = append(diff, text)
		}
	}
	differ(part.Log.Origin != w.part.Log.Origin || part.Log.Key != w.part.Log.Key, "another log")
	differ(part.Found.Size != r.Index || part.Found.Root != evidence.Digest(r.Start.Root), fmt.Sprintf("the log it found (size %d), the leaf is at %d", part.Found.Size, r.Index))
	differ(part.Found.BootNumber != r.Number, fmt.Sprintf("boot number %d, the leaf says %d", part.Found.BootNumber, r.Number))
	differ(part.Found.LastTime != r.FoundTime && r.FoundTime != 0, "the time of the last entry it found")
	differ(s.boot.BootKey != evidence.PublicKey(r.Start.BootKey), "the boot key")
	differ(part.AgentKey != evidence.PublicKey(r.Start.AgentKey), "the agent key")
	if len(diff) > 0 {
		w.fail("lineage.starts", name+": leaf and attested statement disagree about "+strings.Join(diff, ", "), "", "", "host", remedyStart)
	}
}

// judgeEarlier judges an earlier start as recorded and as of today.
func (w *logWalk) judgeEarlier(name string, s *start, r *tlog.StartReport) {
	if w.a.current != nil && w.a.current.readable() && s.judged.report.RootSHA256 != w.a.current.judged.report.RootSHA256 {
		w.fail("lineage.root", name+" has another root than the current start: simulated and genuine starts, or two simulators, are mixed", "", "", "operator", "do not rely on this log: part of it was written outside a TEE")
	}
	when := w.startTime(s, r)
	m, checks := w.a.measure(s)
	for _, c := range checks {
		if c.Outcome == appraisal.Failed {
			c.ID, c.Detail = strings.Replace(c.ID, "measurements.", "lineage.", 1), w.label+name+": "+c.Detail
			w.a.addOnce(c)
		}
	}
	if s.boot != nil {
		m.values["configuration_sha256"], m.values["plugins_sha256"] = s.boot.Configuration.String(), s.boot.Plugins.String()
	}
	if c := w.a.code(m, s.boot, when); c.Outcome == appraisal.Failed {
		w.fail("lineage.code", name+" ran code that your policy does not accept", c.Got, c.Want, "operator", "only what lies before it under a cosigned checkpoint stays acceptable; or add the code of that time to your policy")
	}
	w.earlierTCB(name, s, r, when)
}

// startTime is the time an earlier start is dated to: the host's claim in the boot leaf, microseconds since 1970.
func (w *logWalk) startTime(s *start, r *tlog.StartReport) time.Time {
	if r.Time > 0 {
		return time.UnixMicro(int64(r.Time))
	}
	if s.boot != nil {
		return time.UnixMilli(int64(s.boot.Time))
	}
	return w.a.at
}

// earlierTCB: accepted today is fine. Not accepted today but accepted when recorded is a note when something dates the start,
// and counts as of today when nothing does. Revoked today is contraindicated.
func (w *logWalk) earlierTCB(name string, s *start, r *tlog.StartReport, when time.Time) {
	today := w.today(name, s)
	if today.err == nil && today.report.Accepted {
		return
	}
	recorded := s.judged
	recorded.report, recorded.err = w.a.verifyWith(s.evidence, s.evidence.Collateral, when)
	switch {
	case today.err == nil && today.report.Status == dcap.Revoked:
		w.fail("lineage.tcb", name+": its platform is revoked today", "Revoked", "", "vendor", remedyStart)
	case recorded.err == nil && recorded.report.Accepted && w.dated(r):
		w.a.pass("lineage.tcb", w.label+name+" was up to date when it was made and is not today: a note, because this machine saw it then", statusOf(today), "Intel's TCB info then and now")
	case today.err == nil && today.report.Status != dcap.StatusNone && today.report.Class == dcap.ClassPolicy:
		w.a.add(appraisal.Check{
			ID: "lineage.tcb", Outcome: appraisal.Warning, Detail: w.label + name + " is " + statusOf(today) + " as of today, and nothing but the host's word dates it",
			Got: statusOf(today), Want: "UpToDate", Source: "Intel's TCB info", Fault: "operator", Remedy: "update the platform; starts that this machine saw while they were up to date keep their date",
		})
	case recorded.err == nil && recorded.report.Accepted:
		w.a.add(appraisal.Check{
			ID: "lineage.tcb", Outcome: appraisal.Warning, Detail: w.label + name + " was acceptable when it was recorded; as of today it cannot be judged: " + errText(today),
			Source: "Intel's TCB info", Fault: "reader", Remedy: "let this machine reach Intel's service, so that the start can be judged as of today",
		})
	default:
		w.fail("lineage.tcb", name+": its quote is not acceptable: "+errText(today), statusOf(today), "", "host", remedyStart)
	}
}

// today judges an earlier quote as of now, with the newest collateral at hand: its own, what was fetched for it, or that of
// the current start, which is often of the same platform. Old collateral that is still in its window must not hide news.
func (w *logWalk) today(name string, s *start) judged {
	own := s.judged
	if w.a.current == nil {
		return own
	}
	fresh := judged{name: name, evidence: s.evidence}
	fresh.report, fresh.err = w.a.verifyWith(s.evidence, w.a.current.evidence.Collateral, w.a.at)
	if fresh.err != nil || fresh.report.Status == dcap.StatusNone {
		return own // of another platform, or no better
	}
	if own.err == nil && own.report.Status != dcap.StatusNone && own.report.LatestIssue.After(fresh.report.LatestIssue) {
		return own
	}
	return fresh
}

// dated says whether something better than the host's word dates the start: this machine saw it in the log before, when
// every check passed. Bundles carry one checkpoint, the newest, so older cosignatures do not come with them.
func (w *logWalk) dated(r *tlog.StartReport) bool {
	for _, s := range w.seen {
		if c, err := tlog.ParseCheckpoint(s.Checkpoint); err == nil && c.Size > r.Index {
			return true
		}
	}
	return false
}

func statusOf(j judged) string {
	if j.err != nil || j.report.Status == dcap.StatusNone {
		return "not judged"
	}
	return j.report.Status.String()
}

func errText(j judged) string {
	if j.err != nil {
		return j.err.Error()
	}
	for _, c := range j.report.Checks {
		if c.Outcome == appraisal.Failed {
			return c.Detail
		}
	}
	return "its quote was not accepted"
}

func (w *logWalk) notWeaker(r *tlog.StartReport, before, now *start) {
	if before.boot == nil || now.boot == nil {
		return
	}
	weaker := now.boot.Policies.WeakerThan(before.boot.Policies)
	if len(weaker) == 0 || w.a.policy.Lineage.AcceptWeaker {
		return
	}
	w.fail("lineage.policy", fmt.Sprintf("start %d holds itself to less than the start before it: %s", r.Number, strings.Join(weaker, "; ")),
		strings.Join(weaker, "; "), "a policy at least as strict", "operator", "ask why; if you accept it, set lineage.accept_weaker in your policy")
}

// newestIsCurrent demands that the last boot leaf belongs to the start that runs now: same boot, same boot key, and an
// agent part that the newest statement still lists.
func (w *logWalk) newestIsCurrent() {
	if w.a.current == nil || w.a.current.boot == nil {
		return
	}
	var key []byte
	listed := true
	if n := len(w.report.Starts); n > 0 {
		last := w.report.Starts[n-1].Start
		key, listed = last.BootKey[:], slices.Contains(w.a.current.boot.Agents, evidence.Digest(last.Part))
	} else if w.resume != nil {
		key = w.resume.BootKey
	}
	if want := w.a.current.boot.BootKey; !listed || !bytes.Equal(key, want[:]) {
		w.fail("lineage.current", "the newest start in the log is not the one that the evidence is about", hex.EncodeToString(key), want.String(), "host", "the server shows an old log or old evidence: verify again; if it stays, do not trust it")
	}
}

// history warns when a log is not the agent's first and the logs before it are not here.
func (w *logWalk) history() {
	if w.part.Log.Number == 0 || w.a.policy.Lineage.AcceptMissingHistory {
		return
	}
	w.a.addOnce(appraisal.Check{
		ID: "lineage.history", Outcome: appraisal.Warning, Detail: w.label + fmt.Sprintf("history before this log is missing: it is the agent's log number %d", w.part.Log.Number),
		Source: "the boot statement", Fault: "operator", Remedy: "ask for the earlier logs, or accept it in your policy: lineage.accept_missing_history",
	})
}
