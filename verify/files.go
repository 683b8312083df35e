package verify

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/bundle"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/tlog"
)

// bundle judges a bundle file: everything but freshness and session, which a file cannot show.
func (a *appraiser) bundle() error {
	r, err := bundle.NewReader(a.in.Log)
	if err != nil {
		a.offline(false)
		return a.malformedLog("", err)
	}
	a.offline(r.Session != nil)
	if len(r.Evidence) == 0 {
		a.badStatement("boot", errors.New("the bundle holds no evidence of any start: nothing vouches for its keys"))
		return nil
	}
	ev, err := evidence.ParseEvidence(r.Evidence[len(r.Evidence)-1])
	if err != nil {
		a.badStatement("newest boot", err)
		return nil
	}
	a.openCurrent(a.newestCollateral(ev, r))
	notes := a.bundledSession(r)
	part := a.partOfLog(r.Header.Origin)
	if part == nil {
		a.add(appraisal.Check{
			ID: "keys.agent", Outcome: appraisal.Failed, Detail: "the newest evidence does not name the log that this bundle is of", Got: r.Header.Origin, Fault: "host",
			Remedy: "ask for the bundle again: its evidence and its entries do not belong together",
		})
		return nil
	}
	a.subject(part.Agent)
	return a.walkLog(r, part, notes[part.Log.Origin], Log{Agent: part.Agent})
}

// offline lets a file leave freshness and session unchecked, and says so. dated: a session statement shows when it was made.
func (a *appraiser) offline(dated bool) {
	a.mayMiss = append(a.mayMiss, "freshness.nonce", "session.channel")
	a.notChecked("freshness.nonce", "file")
	if a.policy.MaxAge.File > 0 && !dated {
		a.ageUnknown("nothing in this file shows when it was made (max_age.file_hours): only a bundle asked for with a nonce does")
	}
	a.notChecked("session.channel", "file")
}

// newestCollateral gives the evidence the collateral that the bundle brings beside it, if that is newer.
func (a *appraiser) newestCollateral(ev *evidence.Evidence, r *bundle.Reader) *evidence.Evidence {
	if len(r.Collateral) == 0 {
		return ev
	}
	fresh := *ev
	fresh.Collateral = r.Collateral[len(r.Collateral)-1]
	return &fresh
}

func (a *appraiser) bundledSession(r *bundle.Reader) map[string]string {
	if r.Session == nil {
		if r.Header.Nonce != "" {
			a.add(appraisal.Check{
				ID: "binding.nonce", Outcome: appraisal.Failed, Detail: "the bundle was asked for with a nonce, and the session statement that answers it is missing",
				Want: r.Header.Nonce, Source: "the bundle's header", Fault: "host", Remedy: "ask for the bundle again; do not rely on this one",
			})
		}
		return nil
	}
	ev, err := evidence.ParseEvidence(r.Session)
	if err != nil {
		a.badStatement("session", err)
		return nil
	}
	notes := a.openSession(ev)
	if s, err := evidence.ParseSession(ev.Statement); err == nil && hex.EncodeToString(s.Nonce) != r.Header.Nonce {
		a.add(appraisal.Check{
			ID: "binding.nonce", Outcome: appraisal.Failed, Detail: "the session in the bundle was made for another request than the one it names",
			Got: hex.EncodeToString(s.Nonce), Want: r.Header.Nonce, Source: "the bundle's header", Fault: "host", Remedy: "ask for the bundle again",
		})
	}
	return notes
}

func (a *appraiser) partOfLog(origin string) *evidence.AgentPart {
	if a.current == nil {
		return nil
	}
	i := slices.IndexFunc(a.current.parts, func(p *evidence.AgentPart) bool { return p.Log.Origin == origin })
	if i < 0 {
		return nil
	}
	return a.current.parts[i]
}

// quote judges a bare quote: hardware, TCB, debug and reference values; there is nothing else in it.
func (a *appraiser) quote() error {
	ev := &evidence.Evidence{Quote: a.in.File, Statement: []byte{}}
	j := a.judge("given", ev, a.at)
	a.hardware([]judged{j})
	if j.err != nil || j.report.Quote == nil {
		return nil
	}
	m := measured{values: map[string]string{}}
	if q := j.report.Quote; q.Enclave != nil {
		m.enclave(q.Enclave)
		a.result.Platform = "SGX"
	} else {
		m.td(q.TD)
		a.result.Platform = "TDX"
	}
	a.add(a.code(m, nil, a.at))
	return nil
}

// document judges an Evidence document by itself: all that a start says, without its log.
func (a *appraiser) document() error {
	a.offline(false)
	ev, err := evidence.ParseEvidence(a.in.File)
	if err != nil {
		return a.malformed("given", a.in.File, err)
	}
	kind, err := evidence.TypeOf(ev.Statement)
	if err != nil {
		a.badStatement("given", err)
		return nil
	}
	if kind == evidence.BootType {
		a.openCurrent(ev)
		if a.current != nil {
			for _, p := range a.current.parts {
				a.result.Agents = append(a.result.Agents, agentResult(p))
			}
		}
		return nil
	}
	if kind == evidence.RecoveryType {
		a.recovery(ev)
		return nil
	}
	j := a.judge("given", ev, a.at)
	a.hardware([]judged{j})
	if j.err == nil && j.report.Quote != nil {
		a.bind("given", ev, j.report.Quote.ReportData())
	}
	return nil
}

// fork judges fork evidence: proven means that the log's own key signed two histories.
func (a *appraiser) fork() error {
	f, err := tlog.ParseFork(a.in.File)
	if err != nil {
		return err
	}
	if err := f.Verify(); err != nil {
		return fmt.Errorf("this file proves nothing against the log: %w", err)
	}
	older, newer, err := f.Checkpoints()
	if err != nil {
		return err
	}
	a.mayMiss = append(a.mayMiss, "signature.checkpoint")
	a.pass("signature.checkpoint", "both checkpoints are signed by the log key that the origin names", fmt.Sprintf("%x", ed25519.PublicKey(f.LogKey)), "the origin "+older.Origin)
	a.add(appraisal.Check{
		ID: "consistency.fork", Outcome: appraisal.Failed, Detail: fmt.Sprintf("FORK PROVEN: the log signed a tree of %d entries and one of %d that does not continue it", older.Size, newer.Size),
		Got: "root " + f.Root.Base64() + fmt.Sprintf(" at size %d", older.Size), Want: "root " + older.Root.Base64(), Source: "two checkpoints of one log key and a consistency proof",
		Fault: "operator", Remedy: "do not rely on this log any more; send this file to whoever does",
	})
	return nil
}
