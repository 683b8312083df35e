package verify

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/tlog"
)

// ofAnotherStart is what this machine remembers of the log, if its log key signed in another start than the one remembered.
func (w *receiptWalk) ofAnotherStart() *Seen {
	i := slices.IndexFunc(w.a.in.Seen, func(s Seen) bool {
		key, err := hex.DecodeString(s.LogKey)
		return err == nil && s.Origin == w.checkpoint.Origin && w.checkpoint.SignedByLog(key) == tlog.SigGood
	})
	if i < 0 {
		return nil
	}
	return &w.a.in.Seen[i]
}

// byMemory lets the short form rest on what this machine verified before: the same log key, and the very start whose boot
// key and agent key were attested then. The links above the log are then remembered and not checked again.
func (w *receiptWalk) byMemory() bool {
	for _, s := range w.a.in.Seen {
		key, err := hex.DecodeString(s.LogKey)
		state, stateErr := tlog.ParseAuditState(s.State)
		if err != nil || stateErr != nil || s.Origin != w.checkpoint.Origin || w.checkpoint.SignedByLog(key) != tlog.SigGood ||
			w.checkpoint.SignedByBoot(state.BootKey) != tlog.SigGood {
			continue
		}
		if !s.AcceptedUnder(w.a.policy) {
			w.underAnotherPolicy(s)
			return true
		}
		w.agentKey = state.AgentKey
		w.a.remembers(s)
		w.a.subject(s.Agent)
		w.a.pass("signature.checkpoint", "log key and boot key that this machine verified on "+s.At.UTC().Format(time.DateOnly)+" signed the checkpoint", s.LogKey, "this machine's memory")
		return true
	}
	return false
}

// underAnotherPolicy: what a laxer (or just another) policy accepted is not taken over.
func (w *receiptWalk) underAnotherPolicy(s Seen) {
	if s.Simulated {
		w.a.wasSimulated(s) // that is worth saying whatever the policy
	}
	w.a.add(appraisal.Check{
		ID: "signature.checkpoint", Detail: "this machine verified this log on " + s.At.UTC().Format(time.DateOnly) + " under another policy than the one in force, so nothing of that is taken over",
		Source: "this machine's memory", Remedy: "verify the server under this policy first (teapot verify URL with the same flags), or use the receipt's file form",
	})
}

// remembers stands in for the links that an earlier verdict of this machine passed. It never makes a result affirming.
func (a *appraiser) remembers(s Seen) {
	a.remembered, a.result.Platform = true, s.Platform
	if a.policy.MaxAge.Evidence > 0 {
		a.ageUnknown("the short form of a receipt does not bring the boot statement, so its age is unknown (max_age.evidence_hours)")
	}
	day := s.At.UTC().Format(time.DateOnly)
	if s.Simulated {
		a.wasSimulated(s)
	} else {
		a.pass("hardware.root", "this machine verified this start of this log on "+day, "root "+s.TrustRoot, "this machine's memory")
	}
	for _, l := range links[1:] {
		if l.key == "signature" {
			break
		}
		if id := l.key + "." + linkHead[l.key]; id != "freshness.nonce" && id != "session.channel" {
			a.mayMiss = append(a.mayMiss, id)
			a.notChecked(id, "verified on "+day+" by this machine; the short form of a receipt does not bring it again")
		}
	}
}

func (a *appraiser) wasSimulated(s Seen) {
	a.simulated = true
	a.add(appraisal.Check{
		ID: "hardware.root", Outcome: appraisal.Failed, Detail: "SIMULATED: when this machine verified this log on " + s.At.UTC().Format(time.DateOnly) + ", its root was a simulator's",
		Got: "root " + s.TrustRoot, Want: "Intel SGX Root CA", Source: "this machine's memory", Fault: "operator", Remedy: "to try things out with a simulator, say --allow-simulated",
	})
}

// memory compares the checkpoint with what this machine saw of the log, where the sizes are equal.
func (w *receiptWalk) memory() {
	w.a.mayMiss = append(w.a.mayMiss, "rollback.memory", "consistency.root")
	for _, s := range w.a.in.Seen {
		was, err := tlog.ParseCheckpoint(s.Checkpoint)
		if err != nil || s.Origin != w.checkpoint.Origin || was.Size != w.checkpoint.Size {
			continue
		}
		if was.Root != w.checkpoint.Root {
			w.fail("rollback.memory", "the receipt is of another history than this machine saw", "host", remedyFork)
			w.keepFork(was, s)
			return
		}
		w.a.pass("rollback.memory", "the receipt is of the log that this machine saw", "", "this machine's memory")
		return
	}
	w.a.notChecked("rollback.memory", "nothing of this size was seen before; verify the server to compare")
	w.a.notChecked("consistency.root", "a receipt shows its own entries only")
}

func (w *receiptWalk) keepFork(was *tlog.SignedCheckpoint, s Seen) {
	key, err := hex.DecodeString(s.LogKey)
	if err != nil {
		return
	}
	if f, err := tlog.NewFork(key, was.Raw, w.checkpoint.Raw, w.checkpoint.Root, nil); err == nil {
		if doc, err := f.Marshal(); err == nil {
			w.a.result.Forks = append(w.a.result.Forks, doc)
		}
	}
}
