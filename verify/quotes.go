package verify

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/evidence"
)

// judged is one quote with what package dcap found.
type judged struct {
	name     string // "boot", "session", "start 3"
	evidence *evidence.Evidence
	report   *dcap.Report
	err      error // the quote or its collateral could not be judged at all
}

// judge verifies a quote as of a time, with collateral from the evidence, from the caller, or from the current start.
func (a *appraiser) judge(name string, ev *evidence.Evidence, at time.Time) judged {
	j := judged{name: name, evidence: ev}
	collateral := &dcap.Collateral{} // a quote that cannot be read needs none to be judged malformed
	if _, err := dcap.Parse(ev.Quote); err == nil {
		if collateral, j.err = a.collateral(ev); j.err != nil {
			return j
		}
	}
	j.report, j.err = a.in.Verifier.Verify(ev.Quote, collateral, a.options(at))
	return j
}

func (a *appraiser) options(at time.Time) dcap.Options {
	return dcap.Options{At: at, Policy: a.policy.DCAP(), AllowSimulated: true}
}

// genuine says whether the chain ends in the pinned root. AllowSimulated lets package dcap go on to the end of the chain
// so that everything can be reported; whether a simulation is acceptable is decided here and nowhere else.
func (a *appraiser) genuine(r *dcap.Report) bool {
	return !r.Simulated || a.in.testingRoot != [32]byte{} && r.RootSHA256 == a.in.testingRoot
}

func (a *appraiser) collateral(ev *evidence.Evidence) (*dcap.Collateral, error) {
	raw := ev.Collateral
	if a.in.Collateral != nil {
		fetched, err := a.in.Collateral(ev.Quote)
		switch {
		case err == nil && len(fetched) > 0:
			raw = fetched
		case len(raw) == 0 && err != nil:
			return nil, fmt.Errorf("%w, and none could be fetched: %w", errNoCollateral, err)
		}
	}
	if len(raw) == 0 {
		return nil, errNoCollateral
	}
	return dcap.ParseCollateral(raw)
}

var errNoCollateral = errors.New("the evidence brings no collateral (Intel's TCB info, identities and revocation lists)")

// hardware reports the links hardware, TCB and debug for the quotes of the current start.
func (a *appraiser) hardware(quotes []judged) {
	for _, j := range quotes {
		if j.err != nil {
			a.unjudged(j)
			continue
		}
		a.root(j)
		a.group(j, "hardware.quote", "signed by the quoting enclave of this platform, certificates valid and not revoked", isHardware)
		a.tcb(j)
		a.group(j, "debug.off", "no debugger can look inside, and no attribute weakens the TEE", isAttribute)
	}
}

func (a *appraiser) unjudged(j judged) {
	c := appraisal.Check{
		ID: "hardware.quote", Outcome: appraisal.Failed, Detail: fmt.Sprintf("the %s quote cannot be judged: %v", j.name, j.err), Fault: "host",
		Remedy: "fetch the evidence again; look at the quote with `teapot quote show`",
	}
	if errors.Is(j.err, errNoCollateral) {
		c.Outcome, c.Fault = appraisal.NotChecked, ""
		c.Detail = fmt.Sprintf("%v: the %s quote cannot be judged", j.err, j.name)
		c.Remedy = "let this machine reach Intel's service (or name a PCCS with --pccs); or judge evidence that brings its collateral (a simulator's is nowhere else: GET /v1/evidence)"
	}
	a.add(c)
}

func (a *appraiser) root(j judged) {
	root := hex.EncodeToString(j.report.RootSHA256[:])
	if a.genuine(j.report) {
		if rootTrusted(j.report) {
			a.passOnce("hardware.root", "the chain ends in the CPU maker's root certificate", root, "pinned in this program: SHA-256 of Intel SGX Root CA")
		}
		return
	}
	a.simulated = true
	a.addOnce(appraisal.Check{
		ID: "hardware.root", Outcome: appraisal.Failed, Detail: "SIMULATED: the chain ends in a simulator's root certificate; no CPU vouches for anything here",
		Got: "root " + root, Want: "Intel SGX Root CA", Source: "pinned in this program", Fault: "operator",
		Remedy: "run the agent in a real TEE; to try things out with a simulator, say --allow-simulated",
	})
}

func rootTrusted(r *dcap.Report) bool {
	return slices.ContainsFunc(r.Checks, func(c appraisal.Check) bool { return c.ID == "root.trusted" && c.Outcome == appraisal.Passed })
}

func isHardware(c appraisal.Check) bool { return c.Link == "hardware" && !isAttribute(c) }

func isAttribute(c appraisal.Check) bool {
	return strings.HasPrefix(c.ID, "policy.") && c.Link == "hardware"
}

func isTCB(c appraisal.Check) bool { return c.Link == "tcb" }

// group reports one link of a quote: passed as a whole, or each check of package dcap that did not pass.
func (a *appraiser) group(j judged, id, passed string, in func(appraisal.Check) bool) {
	bad := badIn(j.report, in)
	if len(bad) == 0 {
		a.passOnce(id, passed, "", "Intel's certificates and revocation lists, as of "+a.at.UTC().Format(time.DateOnly))
		return
	}
	key, _, _ := strings.Cut(id, ".")
	for _, c := range bad {
		if c.Outcome == appraisal.NotChecked && len(bad) > 1 {
			continue // follows from the one that failed
		}
		c.ID = key + "." + strings.TrimPrefix(c.ID, "policy.")
		c.Detail = j.name + " quote: " + c.Detail
		a.add(c)
	}
}

func badIn(r *dcap.Report, in func(appraisal.Check) bool) (bad []appraisal.Check) {
	for _, c := range r.Checks {
		if in(c) && c.Outcome != appraisal.Passed && !notOfEnclaves(r, c) {
			bad = append(bad, c)
		}
	}
	return bad
}

// notOfEnclaves: package dcap leaves unchecked what a TD has and an SGX enclave has not; nothing is missing then.
func notOfEnclaves(r *dcap.Report, c appraisal.Check) bool {
	return c.Outcome == appraisal.NotChecked && r.Quote != nil && r.Quote.Enclave != nil && slices.Contains(tdOnly, c.ID)
}

// tdOnly are the checks of package dcap that look at a TD's module and attributes.
var tdOnly = []string{"tdx.module", "policy.tud", "policy.migratable", "policy.service_td", "policy.reserved_attributes", "policy.xfam"}

// tcb reports the TCB link. A platform that is merely not up to date is a warning with a remedy; revoked is not. A status
// that the policy accepts is passed and named.
func (a *appraiser) tcb(j judged) {
	accepted := outcomeOf(j.report, "policy.status") == appraisal.Passed
	bad := badIn(j.report, func(c appraisal.Check) bool {
		return isTCB(c) && !(accepted && c.ID == "tcb.status") && (accepted || c.ID != "policy.status")
	})
	if len(bad) == 0 {
		a.passOnce("tcb.status", tcbText(j.report), j.report.Status.String(), "Intel's TCB info of "+j.report.LatestIssue.UTC().Format(time.DateOnly))
		return
	}
	for _, c := range bad {
		if c.Outcome == appraisal.NotChecked && len(bad) > 1 {
			continue // follows from the one that failed
		}
		a.addOnce(tcbFinding(j, c))
	}
}

func tcbFinding(j judged, c appraisal.Check) appraisal.Check {
	if c.ID == "tcb.status" {
		c.Detail = "firmware, microcode or TDX module of the platform: " + c.Detail
	}
	c.ID = strings.Replace(c.ID, "policy.", "tcb.", 1)
	if !strings.HasPrefix(c.ID, "tcb.") {
		c.ID = "tcb." + c.ID
	}
	if j.report.Status != dcap.StatusNone && j.report.Status != dcap.Revoked && c.Outcome == appraisal.Failed {
		c.Outcome = appraisal.Warning
	}
	return c
}

func outcomeOf(r *dcap.Report, id string) appraisal.Outcome {
	for _, c := range r.Checks {
		if c.ID == id {
			return c.Outcome
		}
	}
	return appraisal.NotChecked
}

func tcbText(r *dcap.Report) string {
	text := fmt.Sprintf("firmware, microcode and TDX module are %s", r.Status)
	if len(r.Advisories) > 0 {
		text += ", advisories " + strings.Join(r.Advisories, ", ")
	}
	if !r.EarliestExpiration.IsZero() {
		text += "; judged with collateral good until " + r.EarliestExpiration.UTC().Format(time.DateOnly)
	}
	return text
}

// DCAP is the part of the policy that package dcap judges by.
func (p Policy) DCAP() dcap.Policy {
	out := dcap.Policy{AcceptAdvisories: p.AcceptAdvisories, GraceDays: p.GraceDays, MinEvaluation: p.MinEvaluation}
	for _, name := range p.AcceptStatus {
		if s, ok := dcap.ParseStatus(name); ok { // Validate refused what does not parse
			out.AcceptStatus = append(out.AcceptStatus, s)
		}
	}
	for _, name := range p.Allow {
		if f, ok := dcap.ParseAllow(name); ok {
			out.Allow |= f
		}
	}
	return out
}
