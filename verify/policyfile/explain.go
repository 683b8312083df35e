package policyfile

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/verify"
)

// Explain says in words what a policy accepts, and what it leaves unchecked.
func Explain(out io.Writer, p verify.Policy) error {
	w := &writer{}
	w.explainHardware(p)
	w.explainCode(p)
	w.explainAgents(p)
	w.explainCustody(p)
	w.explainWitnesses(p)
	w.explainWaivers(p)
	_, err := io.WriteString(out, w.String())
	return err
}

func (w *writer) explainHardware(p verify.Policy) {
	w.say("Hardware")
	if p.Simulated == "allow" {
		w.say("  Genuine hardware, or a simulator: then the verdict is a warning, headed SIMULATED, code is compared where you name it, and who holds the keys is not judged.")
	} else {
		w.say("  Genuine hardware only: the chain must end in Intel's root certificate. A simulator fails.")
	}
	w.say("  TCB status: %s.", strings.Join(statuses(p.AcceptStatus), ", "))
	if p.GraceDays > 0 {
		w.say("  OutOfDate too, for %d days after the TCB date.", p.GraceDays)
	}
	if p.AcceptAdvisories != nil {
		w.say("  Advisories that may be left open: %s; any other fails.", orNone(strings.Join(p.AcceptAdvisories, ", ")))
	}
	if len(p.Allow) > 0 {
		w.say("  ALLOWED although it weakens the TEE: %s.", strings.Join(p.Allow, ", "))
	}
}

func (w *writer) explainCode(p verify.Policy) {
	w.say("Code")
	if len(p.Code) == 0 {
		w.say("  No reference values: any code is unknown code, and the verdict cannot be better than a warning (exit 1).")
	}
	for _, c := range p.Code {
		w.say("  %s%s: every value below must match.", c.Name, period(c.From, c.Until))
		for _, v := range c.Reference() {
			w.say("    %-22s %s", v.Name, strings.Join(v.Want, " or "))
		}
		if c.AcceptByHash {
			w.say("    The compose file is accepted by its hash; its text is NOT judged. You must have read it.")
		}
	}
}

func period(from, until time.Time) string {
	switch {
	case from.IsZero() && until.IsZero():
		return ""
	case from.IsZero():
		return " (for starts before " + until.UTC().Format(time.DateOnly) + ")"
	case until.IsZero():
		return " (for starts from " + from.UTC().Format(time.DateOnly) + ")"
	}
	return fmt.Sprintf(" (for starts from %s to %s)", from.UTC().Format(time.DateOnly), until.UTC().Format(time.DateOnly))
}

func (w *writer) explainAgents(p verify.Policy) {
	w.say("Agents")
	if len(p.Agents) == 0 {
		w.say("  Whatever agents there are. Their characters, wallets and logs are shown, and compared only with what this machine saw before.")
	}
	for _, a := range p.Agents {
		w.say("  %s must be there.", a.ID)
		for _, row := range []struct{ name, want string }{
			{"log origin", a.Origin}, {"log key", a.LogKey}, {"character", strings.Join(a.Character, " or ")}, {"wallets", strings.Join(a.Wallets, " and ")},
		} {
			if row.want == "" {
				row.want = "not checked"
			}
			w.say("    %-22s %s", row.name, row.want)
		}
	}
	if p.Lineage.AcceptWeaker {
		w.say("  A start may hold itself to less than the start before it.")
	}
	if p.Lineage.AcceptMissingHistory {
		w.say("  History before a log may be missing.")
	}
}

func (w *writer) explainCustody(p verify.Policy) {
	w.say("Keys")
	w.say("  Only this start, or exactly this code on this CPU, may be able to derive them.")
	for _, v := range p.Custody.Accept {
		w.say("  Also accepted: %s.", v)
	}
	for _, v := range p.Custody.KMSRoots {
		w.say("  A key management service with this root must have signed them: %s.", v)
	}
}

func (w *writer) explainWitnesses(p verify.Policy) {
	w.say("Witnesses")
	switch {
	case p.Witnesses.Quorum > 0:
		w.say("  %d of these %d must have cosigned the log, after the current start began:", p.Witnesses.Quorum, len(p.Witnesses.Keys))
		for _, k := range p.Witnesses.Keys {
			w.say("    %s", k)
		}
	case p.Witnesses.Require:
		w.say("  Those that the agent's own boot statement names; an agent without any fails.")
	default:
		w.say("  Those that the agent's own boot statement names, if any. Without any, clones and rollbacks are not excluded.")
	}
	for _, age := range []struct {
		what  string
		hours int
	}{{"boot evidence", p.MaxAge.Evidence}, {"newest cosignature", p.MaxAge.Checkpoint}, {"session in a file", p.MaxAge.File}} {
		if age.hours > 0 {
			w.say("  The %s may be at most %d hours old.", age.what, age.hours)
		}
	}
}

func (w *writer) explainWaivers(p verify.Policy) {
	if len(p.Waive) == 0 {
		w.say("Nothing is waived.")
		return
	}
	_, meaning := verify.Waivable()
	w.say("WAIVED: you believe without proof")
	for _, id := range p.Waive {
		w.say("  %s: %s", id, meaning(id))
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// statuses returns UpToDate, which is always accepted, and the others named.
func statuses(named []string) []string {
	others := slices.DeleteFunc(slices.Clone(named), func(s string) bool { return s == "UpToDate" })
	return append([]string{"UpToDate"}, others...)
}
