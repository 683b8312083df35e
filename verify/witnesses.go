package verify

import (
	"fmt"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/tlog"
)

// cosigned is a checkpoint that witnesses may have signed.
type cosigned struct {
	a          *appraiser
	checkpoint *tlog.SignedCheckpoint
	label      string
}

// witnesses checks the cosignatures on the newest checkpoint, by the reader's policy or else by the agent's own.
func (a *appraiser) witnesses(checkpoint *tlog.SignedCheckpoint, label string) {
	w := &cosigned{a: a, checkpoint: checkpoint, label: label}
	policy, whose := a.policy.Witnesses, "your policy"
	if policy.Quorum == 0 && a.current != nil && a.current.boot != nil {
		own := a.current.boot.Policies.Witness
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
	judged := parsed.Judge(w.checkpoint)
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
		c.Remedy = "ask a witness for its newest checkpoint of " + w.checkpoint.Origin + " and compare; others may see another log"
	}
	w.a.add(c)
	w.witnessed(judged, whose)
}

// witnessed: a fresh cosignature over a checkpoint that holds this start's boot leaf excludes clones and rollbacks.
func (w *cosigned) witnessed(judged tlog.Cosignatures, whose string) {
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

func (w *cosigned) noWitnesses() {
	if w.a.policy.Witnesses.Require {
		w.a.add(appraisal.Check{
			ID: "witnesses.quorum", Outcome: appraisal.Failed, Detail: w.label + "nobody witnesses this log, and your policy wants witnesses",
			Source: "your policy, witnesses.require", Fault: "operator", Remedy: "ask the operator to configure witnesses",
		})
		return
	}
	w.a.mayMiss = append(w.a.mayMiss, "witnesses.quorum", "rollback.witnessed")
	if w.a.policy.MaxAge.Checkpoint > 0 {
		w.a.ageUnknown(w.label + "no witness dates the checkpoint, so its age is nobody's word (max_age.checkpoint_hours)")
	}
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
