package verify

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/evidence"
)

// judgeKeys checks what the boot statement says the agents are against the policy's [[agent]] tables.
func (a *appraiser) judgeKeys(boot *evidence.Boot, parts []*evidence.AgentPart) {
	if parts == nil {
		return // the failed keys.statement says why
	}
	a.pass("keys.statement", fmt.Sprintf("the attested boot statement names the boot key and the keys of %d agents", len(parts)), "boot key "+boot.BootKey.String(), "the boot statement")
	if len(a.policy.Agents) == 0 {
		return
	}
	for _, want := range a.policy.Agents {
		i := slices.IndexFunc(parts, func(p *evidence.AgentPart) bool { return p.Agent == want.ID })
		if i < 0 {
			a.agentFailed(want, "is not in the boot statement", "", want.ID)
			continue
		}
		a.agent(want, parts[i])
	}
}

// subject: a file is about one agent. Where the policy names agents, it must be one of them: that another agent of the same
// machine is the one that was meant says nothing about this one.
func (a *appraiser) subject(agent string) {
	if len(a.policy.Agents) == 0 || slices.ContainsFunc(a.policy.Agents, func(w Agent) bool { return w.ID == agent }) {
		return
	}
	a.add(appraisal.Check{
		ID: "keys.agent", Outcome: appraisal.Failed, Detail: "this " + string(a.in.Kind) + " is of agent " + agent + ", which your policy does not name", Got: agent,
		Source: "your policy, tables [[agent]]", Fault: "operator", Remedy: "ask for that of the agent you meant; or name this one in your policy too",
	})
}

func (a *appraiser) agent(want Agent, got *evidence.AgentPart) {
	ok := a.agentField(want, "log origin", got.Log.Origin, want.Origin)
	ok = a.agentField(want, "log key", got.Log.Key.String(), strings.ToLower(want.LogKey)) && ok
	ok = a.agentField(want, "character", got.Character.String(), lowered(want.Character)...) && ok
	for _, address := range want.Wallets {
		if !slices.ContainsFunc(got.Wallets, func(w evidence.Wallet) bool { return w.Address == address }) {
			a.agentFailed(want, "does not have the wallet your policy names", walletsText(got.Wallets), address)
			ok = false
		}
	}
	if ok {
		a.pass("keys.agent", "agent "+want.ID+" is the one your policy names", got.Log.Origin, "your policy")
	}
}

// agentField compares one field with the policy; an empty wish is no wish.
func (a *appraiser) agentField(agent Agent, field, got string, want ...string) bool {
	want = slices.DeleteFunc(slices.Clone(want), func(w string) bool { return w == "" })
	if len(want) == 0 || slices.Contains(want, got) {
		return true
	}
	a.agentFailed(agent, "has another "+field+" than your policy names", got, strings.Join(want, " or "))
	return false
}

func (a *appraiser) agentFailed(agent Agent, what, got, want string) {
	a.add(appraisal.Check{
		ID: "keys.agent", Outcome: appraisal.Failed, Detail: fmt.Sprintf("agent %s %s", agent.ID, what),
		Got: got, Want: want, Source: "your policy, table [[agent]]", Fault: "operator",
		Remedy: "this is not the agent you meant, or it was changed: ask its operator; if the change is right, update the policy",
	})
}

func walletsText(wallets []evidence.Wallet) string {
	var b []string
	for _, w := range wallets {
		b = append(b, w.Chain+" "+w.Address)
	}
	return strings.Join(b, ", ")
}

func lowered(in []string) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = strings.ToLower(s)
	}
	return out
}

func agentResult(p *evidence.AgentPart) AgentResult {
	r := AgentResult{
		ID: p.Agent, Name: p.Name, Origin: p.Log.Origin, LogKey: p.Log.Key.String(), Character: p.Character.String(),
	}
	for _, w := range p.Wallets {
		r.Wallets = append(r.Wallets, Wallet{w.Chain, w.Address, w.Shared})
	}
	return r
}

func rootText(root [32]byte) string { return base64.StdEncoding.EncodeToString(root[:]) }
