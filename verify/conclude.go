package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/appraisal"
)

// simulationWaives are the checks that --allow-simulated waives, for simulated evidence only: there is no
// hardware behind them, so no code, key or storage can be pinned to it.
var simulationWaives = []string{
	"hardware.root", "measurements.code", "measurements.unmeasured", "custody.keys", "custody.storage",
}

// verdict collects checks and knows what of them the policy in force requires.
type verdict struct {
	policy     Policy
	simulated  bool
	remembered bool     // part of the chain rests on an earlier verdict of this machine
	mayMiss    []string // ids that may be "not checked" without being waived (design.md, "The verdict")
	checks     []appraisal.Check
	waived     []string
}

func (v *verdict) add(checks ...appraisal.Check) { v.checks = append(v.checks, checks...) }

func (v *verdict) pass(id, detail, got, source string) {
	v.add(appraisal.Check{ID: id, Outcome: appraisal.Passed, Detail: detail, Got: got, Source: source})
}

func (v *verdict) notChecked(id, detail string) {
	v.add(appraisal.Check{ID: id, Detail: detail})
}

// nothingThere begins the detail of a link that this kind of target does not have.
const nothingThere = "nothing to look at"

// fill adds "not checked" for every link nobody looked at: no link is skipped silently.
func (v *verdict) fill(why string) {
	for _, l := range links {
		if !slices.ContainsFunc(v.checks, func(c appraisal.Check) bool { return LinkName(c.ID) == l.name }) {
			v.notChecked(l.key+"."+linkHead[l.key], why)
		}
	}
}

// linkHead is the id under which a link that nobody looked at is reported.
var linkHead = map[string]string{
	"hardware": "root", "tcb": "status", "debug": "off", "measurements": "code", "binding": "report_data",
	"freshness": "nonce", "session": "channel", "keys": "statement", "custody": "keys", "lineage": "starts",
	"signature": "checkpoint", "consistency": "root", "entries": "signed", "witnesses": "quorum", "rollback": "memory",
}

// settle turns waived outcomes into warnings and says which checks stay unmet.
func (v *verdict) settle() (unmet []appraisal.Check) {
	for i := range v.checks {
		c := &v.checks[i]
		switch {
		case c.Outcome == appraisal.Passed:
		case v.isWaived(*c):
			v.waive(c)
		case c.Outcome == appraisal.NotChecked && slices.Contains(v.mayMiss, c.ID):
		default:
			unmet = append(unmet, *c)
		}
	}
	return unmet
}

// isWaived: a simulation waives reference values that were not given; those that were given are checked all the same.
func (v *verdict) isWaived(c appraisal.Check) bool {
	supplied := c.ID == "measurements.code" && c.Outcome == appraisal.Failed
	return v.policy.waives(c.ID) || v.simulated && v.policy.allowSimulated() && !supplied && slices.Contains(simulationWaives, c.ID)
}

func (v *verdict) waive(c *appraisal.Check) {
	if !slices.Contains(v.waived, c.ID) {
		v.waived = append(v.waived, c.ID)
	}
	if c.Outcome == appraisal.NotChecked {
		return
	}
	c.Outcome = appraisal.Warning
	by := "the policy"
	if !v.policy.waives(c.ID) {
		by = "--allow-simulated"
	}
	c.Detail += " (waived by " + by + ")"
}

// conclude fills tier, exit, headline and the sorted checks of r.
func (v *verdict) conclude(r *Result) {
	v.checks = inOrder(v.checks)
	unmet := v.settle()
	r.Checks, r.Waived, r.Simulated = v.checks, v.waived, v.simulated
	r.Tier = v.tier(unmet)
	if len(unmet) > 0 {
		r.Exit = 1
	}
	if r.Headline = v.headline(r, unmet); r.Tier != appraisal.Contraindicated && r.unjudgedHardware() {
		r.Tier, r.Exit, r.Headline = appraisal.None, 2, "NOT JUDGED: hardware: "+r.Find("hardware.quote").Detail
	}
}

// unjudgedHardware: without collateral nothing that hangs on the quote can be judged.
func (r *Result) unjudgedHardware() bool {
	c := r.Find("hardware.quote")
	return c.Detail != "" && c.Outcome == appraisal.NotChecked
}

func (v *verdict) tier(unmet []appraisal.Check) appraisal.Tier {
	has := func(o appraisal.Outcome) bool {
		return slices.ContainsFunc(v.checks, func(c appraisal.Check) bool { return c.Outcome == o })
	}
	switch {
	case has(appraisal.Failed):
		return appraisal.Contraindicated
	case !has(appraisal.Passed):
		return appraisal.None
	case has(appraisal.Warning), len(unmet) > 0, len(v.waived) > 0, v.simulated, v.remembered:
		return appraisal.Warned
	default:
		return appraisal.Affirming
	}
}

func (v *verdict) headline(r *Result, unmet []appraisal.Check) string {
	worst := worstOf(unmet)
	switch {
	case v.simulated && !v.policy.allowSimulated():
		return "CONTRADICTED: this is SIMULATED evidence, not hardware: its root is not the CPU maker's"
	case v.simulated && r.Exit == 0:
		return "SIMULATED: every link holds, but the chain ends in a simulator's root: it proves nothing about hardware"
	case r.Tier == appraisal.Contraindicated:
		return sim(v.simulated) + "CONTRADICTED at " + LinkName(worst.ID) + ": " + worst.Detail
	case r.Exit != 0 && absent(worst):
		return sim(v.simulated) + "NOT ACCEPTED: what is here holds, but this " + r.Kind.noun() + " shows nothing of " + linksOf(unmet) + ": verify the agent's address or its bundle"
	case r.Exit != 0:
		return sim(v.simulated) + "NOT ACCEPTED: " + LinkName(worst.ID) + ": " + orNotChecked(worst)
	case v.remembered:
		return "ACCEPTED: this receipt is of a start that this machine verified before"
	case r.Tier == appraisal.Warned:
		return "ACCEPTED WITH WARNINGS: your policy waives " + strings.Join(v.waived, ", ")
	default:
		return "VERIFIED: " + scope(r)
	}
}

// worstOf returns the first failed check, else the first warning, else the first that was not checked.
func worstOf(unmet []appraisal.Check) appraisal.Check {
	for _, o := range []appraisal.Outcome{appraisal.Failed, appraisal.Warning} {
		for _, c := range unmet {
			if c.Outcome == o {
				return c
			}
		}
	}
	if len(unmet) > 0 {
		return unmet[0]
	}
	return appraisal.Check{}
}

// absent says whether a check was not made because this kind of target does not have its link.
func absent(c appraisal.Check) bool {
	return c.Outcome == appraisal.NotChecked && strings.HasPrefix(c.Detail, nothingThere)
}

// linksOf names the links of checks, each once, in their order.
func linksOf(checks []appraisal.Check) string {
	var names []string
	for _, c := range checks {
		if name := LinkName(c.ID); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

func orNotChecked(c appraisal.Check) string {
	if c.Outcome == appraisal.NotChecked {
		return "not checked (" + c.Detail + ")"
	}
	return c.Detail
}

func sim(simulated bool) string {
	if simulated {
		return "SIMULATED, "
	}
	return ""
}

func scope(r *Result) string {
	var n uint64
	for _, a := range r.Agents {
		n += a.Verified
	}
	text := fmt.Sprintf("genuine %s, accepted code", r.Platform)
	if len(r.Agents) > 0 && r.Kind != KindPeer {
		text += fmt.Sprintf(", %d entries of %d agents signed and in order", n, len(r.Agents))
	}
	if r.Kind != KindURL && r.Kind != KindPeer {
		text += ", judged as of " + r.JudgedAt.Format("2006-01-02")
	}
	return text
}
