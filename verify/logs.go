package verify

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/bundle"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/tlog"
)

// logWalk is one agent's log on its way through the auditor.
type logWalk struct {
	a      *appraiser
	part   *evidence.AgentPart // of the current start
	reader *bundle.Reader
	docs   map[[32]byte]*evidence.Evidence // by SHA-256 of the document, as boot leaves name them
	seen   []Seen                          // what the reader remembers of this log
	resume *tlog.AuditState                // the remembered audit that the bundle continues
	roots  map[uint64]tlog.Hash            // of this tree at sizes of interest
	asked  bundle.Query                    // of a file what its header says
	note   string                          // checkpoint the session attests; empty for files
	label  string                          // "agent NAME: " when there are several
	report *tlog.AuditReport
}

// log judges one agent's bundle. An error means that the bundle is no bundle, or cut off.
func (a *appraiser) log(l Log, notes map[string]string) error {
	part := a.partOf(l.Agent)
	if part == nil {
		a.add(appraisal.Check{
			ID: "keys.agent", Outcome: appraisal.Failed, Detail: "agent " + l.Agent + " is not in the attested boot statement", Fault: "host",
			Remedy: "the server shows an agent that its TEE does not vouch for: do not use it",
		})
		return nil
	}
	if c, ok := l.Bundle.(io.Closer); ok {
		defer c.Close()
	}
	r, err := bundle.NewReader(l.Bundle)
	if err != nil {
		return a.malformedLog("agent "+l.Agent+": ", fmt.Errorf("the log of agent %s: %w", l.Agent, err))
	}
	return a.walkLog(r, part, notes[part.Log.Origin], l)
}

func (a *appraiser) partOf(agent string) *evidence.AgentPart {
	if a.current == nil {
		return nil
	}
	i := slices.IndexFunc(a.current.parts, func(p *evidence.AgentPart) bool { return p.Agent == agent })
	if i < 0 {
		return nil
	}
	return a.current.parts[i]
}

func (a *appraiser) walkLog(r *bundle.Reader, part *evidence.AgentPart, note string, l Log) error {
	w := &logWalk{a: a, part: part, reader: r, note: note, roots: map[uint64]tlog.Hash{}, docs: map[[32]byte]*evidence.Evidence{}}
	if a.current != nil && len(a.current.parts) > 1 {
		w.label = "agent " + part.Name + ": "
	}
	w.documents()
	w.remembered()
	if err := w.audit(l); err != nil {
		return err
	}
	if c, ok := l.Bundle.(io.Closer); ok {
		_ = c.Close() // what was read is judged; a proof may be asked for on the same connection
	}
	w.lineage()
	w.consistency()
	w.memory(l)
	a.witnesses(r.Checkpoint, w.label)
	w.finish(l)
	return nil
}

// documents reads the evidence documents of the starts, as the bundle brings them.
func (w *logWalk) documents() {
	for i, raw := range w.reader.Evidence {
		ev, err := evidence.ParseEvidence(raw)
		if err != nil {
			w.a.badStatement(fmt.Sprintf("bundle's boot (evidence %d)", i), err)
			continue
		}
		digest := sha256.Sum256(raw)
		if w.docs[digest] != nil {
			w.a.brokenLog(w.label, fmt.Errorf("evidence %d stands in it twice", i))
		}
		w.docs[digest] = ev
	}
}

// audit walks every item of the bundle.
func (w *logWalk) audit(l Log) error {
	h := w.reader.Header
	if h.Base > 0 && w.resume == nil {
		return fmt.Errorf("the bundle begins at entry %d of a log that this machine has not verified up to there under this policy: ask for the whole log", h.Base)
	}
	w.asked = h.Query
	if w.a.in.Kind == KindURL {
		w.asked = l.query()
	}
	auditor, err := tlog.NewAuditor(tlog.AuditOptions{
		Origin: w.part.Log.Origin, LogKey: ed25519.PublicKey(w.part.Log.Key[:]), State: w.resume, Kinds: w.reader.Kinds,
		Window: w.asked.Window, Contents: w.asked.Contents, MayErase: w.mayErase(), Workers: w.a.in.Workers,
		Entry: w.a.in.Entry,
	})
	if err != nil {
		return err
	}
	if whole, err := w.items(auditor, l); !whole {
		return err
	}
	w.report = auditor.Finish(w.reader.Checkpoint)
	if w.a.in.Audited != nil {
		w.a.in.Audited(w.part, w.report)
	}
	w.findings()
	return nil
}

// items hands every item to the auditor; whole is false when the bundle breaks off or an item cannot stand where it does, which is then
// reported.
func (w *logWalk) items(auditor *tlog.Auditor, l Log) (whole bool, err error) {
	tree := w.prefix()
	for {
		item, err := w.reader.Next()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if errors.Is(err, bundle.ErrChecksum) {
			w.a.damaged(w.label)
			return true, nil
		}
		if err != nil {
			return false, w.a.malformedLog(w.label, err)
		}
		if err := auditor.Add(item); err != nil {
			w.a.brokenLog(w.label, err)
			return false, nil
		}
		tree.add(item)
		w.progress(l)
	}
}

func (w *logWalk) progress(l Log) {
	if at := w.reader.Pos(); w.a.in.Progress != nil && (at%1024 == 0 || at == w.reader.Header.Size) {
		w.a.in.Progress(l.Agent, at, w.reader.Header.Size)
	}
}

// auditIDs places the rules of the audit on the chain; a rule that is not here is reported elsewhere.
var auditIDs = map[string]string{
	"log.origin": "signature.origin", "log.signature": "signature.checkpoint", "log.boot_signature": "signature.boot",
	"log.root": "consistency.root", "entries.start": "lineage.order", "entries.signature": "entries.signed",
	"entries.form": "", "entries.origin": "", "entries.index": "", "entries.kseq": "", "entries.kinds": "", "entries.time": "",
	"entries.source": "", "entries.intent": "", "entries.erasure": "", "entries.content": "", "entries.withheld": "", "entries.complete": "",
}

func (w *logWalk) findings() {
	for _, c := range w.report.Checks {
		id, ours := auditIDs[c.ID]
		if !ours || c.Outcome == appraisal.NotChecked && c.ID != "entries.complete" {
			continue // nothing of the kind is there, or it was not asked for
		}
		if id != "" {
			c.ID = id
		}
		c.Detail = w.label + c.Detail
		w.a.add(c)
	}
	if w.report.Erased > 0 && w.a.policy.Erasures == "refuse" {
		w.fail("entries.erased", fmt.Sprintf("%d contents were erased", w.report.Erased), "", "no erasures", "operator", "the log names who asked for each erasure and why; your policy refuses any (erasures)")
	}
	if said, is := w.reader.Kinds, w.report.Kinds; said != nil && is != nil && said.Hash() != is.Hash() {
		w.fail("entries.kinds", "the bundle's counts by type are not those of its entries", "", "", "host", "ask for the bundle again; do not rely on this one")
	}
}

// query is what was asked of the server.
func (l Log) query() bundle.Query {
	q := bundle.Query{Window: tlog.Window{From: l.From, To: l.To}, Contents: l.Contents}
	if l.Type != "" {
		q.Types = []string{l.Type}
	}
	return q
}

// mayErase knows which start allowed whom to have content erased.
func (w *logWalk) mayErase() func(start uint64, by tlog.Requester) error {
	allowed := map[uint64][]string{} // what every document of a start allows: one that no boot leaf names must not widen it
	for _, ev := range w.docs {
		boot, err := evidence.ParseBoot(ev.Statement)
		if err != nil {
			continue // lineage reports it
		}
		parts, err := ev.MatchParts(boot)
		if err != nil {
			continue // lineage reports it
		}
		for _, p := range parts {
			if p.Log.Origin == w.part.Log.Origin {
				who, more := allowed[p.Found.BootNumber]
				allowed[p.Found.BootNumber] = slices.DeleteFunc(slices.Clone(boot.Policies.Erasure.Requesters), func(r string) bool {
					return more && !slices.Contains(who, r)
				})
			}
		}
	}
	return func(start uint64, by tlog.Requester) error {
		if slices.Contains(allowed[start], by.String()) {
			return nil
		}
		return fmt.Errorf("the policy of start %d does not let %s have content erased", start, by)
	}
}

// finish adds what was learnt about the agent, and what may be remembered.
func (w *logWalk) finish(l Log) {
	r := agentResult(w.part)
	c := w.reader.Checkpoint
	r.Size, r.Root, r.Verified = c.Size, rootText(c.Root), w.entries()
	r.Scope = w.scope()
	if w.report != nil {
		r.Withheld = w.report.Withheld
		if w.report.Kinds != nil {
			r.Starts = w.report.Kinds.Next(tlog.TypeBoot)
		}
		for by, n := range w.report.ErasedBy {
			if r.Erased == nil {
				r.Erased = map[string]int{}
			}
			r.Erased[by.String()] = int(n)
		}
	}
	w.a.result.Agents = append(w.a.result.Agents, r)
	w.remember(l)
}

func (w *logWalk) entries() uint64 {
	if w.report == nil {
		return 0
	}
	return w.report.Entries
}

func (w *logWalk) scope() string {
	h := w.reader.Header
	switch {
	case w.report == nil:
		return "nothing"
	case w.report.LeftOut > 0 && len(w.asked.Types) > 0:
		return fmt.Sprintf("types %v, complete", w.asked.Types)
	case w.report.LeftOut > 0:
		return fmt.Sprintf("entries %d to %d and what proves them", w.asked.From, w.asked.To)
	case h.Base > 0:
		return fmt.Sprintf("since entry %d, verified before on this machine", h.Base)
	}
	return "whole log"
}
