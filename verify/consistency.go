package verify

import (
	"crypto/ed25519"
	"fmt"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/tlog"
)

const (
	remedyShort = "the server cut or swapped the log: do not rely on it; verify again, and compare with a witness or a receipt"
	remedyBack  = "the machine was rolled back to an old disk, or replaced by a copy: do not rely on it; ask the operator, and show them the checkpoint that this machine remembers"
	remedyFork  = "the log has two histories: do not rely on it; the evidence kept on this machine proves it to anybody (`teapot verify FILE`)"
)

// consistency compares the log with the checkpoint that the TEE attested in the session: the bundle must hold that tree, and
// nothing older.
func (w *logWalk) consistency() {
	if w.a.in.Kind != KindURL && !w.a.sessionShown {
		return // a bundle without session evidence
	}
	c := appraisal.Check{ID: "consistency.session", Source: "the checkpoint in the session statement"}
	attested, err := tlog.ParseCheckpoint([]byte(w.note))
	switch {
	case w.note == "" || err != nil:
		c.Outcome, c.Fault, c.Remedy = appraisal.Failed, "host", remedyShort
		c.Detail = w.label + "the session statement attests no checkpoint of this log"
	case attested.SignedByLog(ed25519.PublicKey(w.part.Log.Key[:])) != tlog.SigGood:
		c.Outcome, c.Fault, c.Remedy = appraisal.Failed, "host", remedyShort
		c.Detail = w.label + "the checkpoint in the session statement is not signed by the log key"
	default:
		w.compare(&c, attested.Checkpoint)
	}
	w.a.add(c)
}

// compare says whether the tree of the bundle holds an attested one as its beginning.
func (w *logWalk) compare(c *appraisal.Check, attested tlog.Checkpoint) {
	shown := w.reader.Checkpoint.Checkpoint
	root, known := w.rootAt(attested.Size)
	c.Got, c.Want = fmt.Sprintf("size %d", shown.Size), fmt.Sprintf("size %d or more", attested.Size)
	switch {
	case shown.Size < attested.Size:
		c.Outcome, c.Fault, c.Remedy = appraisal.Failed, "host", remedyShort
		c.Detail = w.label + fmt.Sprintf("the server shows a log of %d entries, but the TEE just attested %d: the end was cut off", shown.Size, attested.Size)
	case known && root != attested.Root:
		c.Outcome, c.Fault, c.Remedy = appraisal.Failed, "host", remedyShort
		c.Detail = w.label + "the log shown is not the one that the TEE just attested"
		c.Got, c.Want = root.Base64(), attested.Root.Base64()
	case !known:
		c.Detail = w.label + "entries were left out where the attested checkpoint ends: ask for the whole log"
	default:
		c.Outcome, c.Detail = appraisal.Passed, w.label+fmt.Sprintf("the log shown is the one that the TEE attested just now (size %d)", attested.Size)
	}
}

// rootAt is the root of this bundle's tree at a size, if the walk came by it.
func (w *logWalk) rootAt(size uint64) (tlog.Hash, bool) {
	if c := w.reader.Checkpoint; c.Size == size {
		return c.Root, true
	}
	h, ok := w.roots[size]
	return h, ok
}

// witnesses checks the cosignatures on the newest checkpoint, by the reader's policy or else by the agent's own.
func (w *logWalk) witnesses() {
	policy, whose := w.a.policy.Witnesses, "your policy"
	if policy.Quorum == 0 && w.a.current != nil && w.a.current.boot != nil {
		own := w.a.current.boot.Policies.Witness
		policy, whose = Witnesses{Quorum: int(own.Quorum), Keys: own.Keys}, "the agent's own policy in its boot statement"
	}
	if policy.Quorum == 0 {
		w.noWitnesses()
		return
	}
	parsed, err := policy.quorum()
	if err != nil {
		w.a.add(appraisal.Check{ID: "witnesses.quorum", Outcome: appraisal.Failed, Detail: w.label + "the witness policy cannot be used: " + err.Error(), Source: whose, Fault: "operator", Remedy: "correct the witness keys"})
		return
	}
	judged := parsed.Judge(w.reader.Checkpoint)
	c := appraisal.Check{
		ID: "witnesses.quorum", Outcome: appraisal.Passed, Detail: w.label + fmt.Sprintf("%d of %d witnesses cosigned this checkpoint", len(judged.Times), len(policy.Keys)),
		Got: fmt.Sprint(len(judged.Times)), Want: fmt.Sprint(policy.Quorum), Source: whose,
	}
	if !judged.Satisfied {
		c.Outcome, c.Fault = appraisal.Failed, "host"
		c.Detail = w.label + fmt.Sprintf("only %d of the %d witnesses wanted cosigned this checkpoint", len(judged.Times), policy.Quorum)
		if len(judged.Bad) > 0 {
			c.Detail = w.label + "a cosignature does not verify: " + fmt.Sprint(judged.Bad)
		}
		c.Remedy = "ask a witness for its newest checkpoint of " + w.part.Log.Origin + " and compare; others may see another log"
	}
	w.a.add(c)
	w.witnessed(judged, whose)
}

// witnessed: a fresh cosignature over a checkpoint that holds this start's boot leaf excludes clones and rollbacks.
func (w *logWalk) witnessed(judged tlog.Cosignatures, whose string) {
	if w.a.current == nil || w.a.current.boot == nil {
		return
	}
	started := w.a.current.boot.Time / 1000
	c := appraisal.Check{
		ID: "rollback.witnessed", Outcome: appraisal.Passed, Detail: w.label + "witnesses cosigned after this start began: no clone and no old disk passed them",
		Got: unix(judged.Since), Want: "after " + unix(started), Source: whose,
	}
	if !judged.Satisfied || judged.Since < started {
		c.Outcome, c.Fault = appraisal.Failed, "host"
		c.Detail = w.label + "no quorum of witnesses cosigned since this start began: a clone or an old disk is not excluded"
		c.Remedy = "verify again in a minute; if it stays, the witnesses refuse this log: ask them why"
	}
	w.a.add(c)
	if w.a.policy.MaxAge.Checkpoint > 0 {
		w.a.age("checkpoint", judged.Since*1000, w.a.policy.MaxAge.Checkpoint)
	}
}

func (w *logWalk) noWitnesses() {
	if w.a.policy.Witnesses.Require {
		w.a.add(appraisal.Check{
			ID: "witnesses.quorum", Outcome: appraisal.Failed, Detail: w.label + "nobody witnesses this log, and your policy wants witnesses",
			Source: "your policy, witnesses.require", Fault: "operator", Remedy: "ask the operator to configure witnesses",
		})
		return
	}
	w.a.mayMiss = append(w.a.mayMiss, "witnesses.quorum", "rollback.witnessed")
	w.a.notChecked("witnesses.quorum", w.label+"no witness is named: clones and rollbacks of the machine are not excluded")
}

// quorum is the reader's list as a tlog-policy: one group of which so many must have signed.
func (p Witnesses) quorum() (*tlog.WitnessPolicy, error) {
	text, members := "", ""
	for i, key := range p.Keys {
		text += fmt.Sprintf("witness w%d %s\n", i, key)
		members += fmt.Sprintf(" w%d", i)
	}
	return tlog.ParseWitnessPolicy(text + fmt.Sprintf("group all-of-them %d%s\nquorum all-of-them\n", p.Quorum, members))
}
