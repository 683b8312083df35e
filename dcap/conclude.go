package dcap

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
)

// conclude publishes the status if every check before the policy's passed, judges the policy and accepts.
func (j *judge) conclude() {
	r := j.report
	complete := true
	for i := range checkPolicyStatus {
		switch r.Checks[i].Outcome {
		case appraisal.Passed, appraisal.Warning:
		case appraisal.Failed:
			complete = complete && i == checkStatus // Revoked is a status too
		default:
			complete = complete && j.notApplicable[i]
		}
	}
	if !complete {
		j.withdraw()
	}
	if j.q != nil {
		j.judgePolicy(complete)
	}
	r.Accepted = complete && !slices.ContainsFunc(r.Checks, func(c appraisal.Check) bool {
		return c.Outcome == appraisal.Failed
	}) && j.policyComplete()
}

// withdraw takes back what the levels say: without every check before them it is a claim, not a verdict.
func (j *judge) withdraw() {
	r := j.report
	r.Status, r.Advisories, r.Launch, r.Current, r.TCBDate = StatusNone, nil, nil, nil, time.Time{}
	if c := &r.Checks[checkStatus]; c.Outcome != appraisal.Failed && c.Outcome != appraisal.NotChecked {
		*c = appraisal.Check{ID: c.ID, Link: c.Link, Detail: "does not count: another check failed"}
	}
}

func (j *judge) policyComplete() bool {
	for i := checkPolicyStatus; i < checkCount; i++ {
		if j.report.Checks[i].Outcome != appraisal.Passed && !j.notApplicable[i] {
			return false
		}
	}
	return true
}

// judgePolicy runs the attribute checks always and those on the status only where there is one.
func (j *judge) judgePolicy(complete bool) {
	if complete {
		j.judgeStatusPolicy()
	}
	if j.q.TD == nil {
		j.settlePolicy(checkPolicyDebug, !j.q.Enclave.Debug(), AllowDebug, "the enclave is a debug enclave: its memory is open to the host")
		for i := checkPolicyTUD; i < checkCount; i++ {
			j.skip(i, "not applicable: SGX")
		}
		return
	}
	j.judgeTDPolicy(j.q.TD)
}

func (j *judge) judgeTDPolicy(td *TDReport) {
	a := td.TDAttributes
	j.settlePolicy(checkPolicyDebug, a&TDDebug == 0, AllowDebug, "the TD is in debug mode: its memory is open to the host")
	tud := AllowTUD
	if a&tdUnderTest&^tdUnderTestOpen == 0 {
		tud |= AllowReservedAttributes // nothing but bits without a meaning
	}
	j.settlePolicy(checkPolicyTUD, a&tdUnderTest == 0, tud, "the TD is under test (profiling attributes are set): side channels are open")
	j.settlePolicy(checkPolicyMigratable, a&TDMigratable == 0, AllowMigratable, "the TD may be migrated by a migration TD")
	j.settlePolicy(checkPolicyReserved, a&^tdKnown == 0, AllowReservedAttributes, "TD attributes are set that nobody knows")
	j.settlePolicy(checkPolicyServiceTD, td.MRServiceTD == [48]byte{}, AllowServiceTD, "a service TD is bound to this TD (MR_SERVICETD)")
	x := td.XFAM
	j.settlePolicy(checkPolicyXFAM, x&xfamFixed1 == xfamFixed1 && x&^xfamKnown == 0, AllowXFAM, "XFAM lacks x87 or SSE, or has a feature that nobody knows")
}

func (j *judge) settlePolicy(check int, ok bool, allow Allow, detail string) {
	if ok {
		j.pass(check)
		return
	}
	c := &j.report.Checks[check]
	if j.policy.Allow&allow != 0 { // any of them
		c.Outcome, c.Detail, c.Source = appraisal.Passed, "allowed by the policy: "+detail, "policy"
		return
	}
	j.fail(check, faultf(ClassPolicy, detail))
}

func (j *judge) judgeStatusPolicy() {
	r, p := j.report, j.policy
	grace := r.TCBDate.AddDate(0, 0, p.GraceDays)
	inGrace := p.GraceDays > 0 && !time.Unix(j.ceil, 0).After(grace)
	if p.status(r.Status, inGrace) {
		j.pass(checkPolicyStatus)
	} else {
		j.fail(checkPolicyStatus, faultf(ClassPolicy, "the policy does not accept "+r.Status.String()))
	}
	c := &r.Checks[checkPolicyStatus]
	c.Got, c.Want, c.Source = r.Status.String(), p.wanted(), "policy"
	j.settle(checkPolicyAdvisories, p.advisories(r.Advisories))
	j.settle(checkPolicyEvaluation, p.evaluation(r.EvaluationNumber()))
}

func (p *Policy) advisories(open []string) *fault {
	var unaccepted []string
	for _, a := range open {
		if p.AcceptAdvisories != nil && !slices.Contains(p.AcceptAdvisories, a) {
			unaccepted = append(unaccepted, a)
		}
	}
	if unaccepted == nil {
		return nil
	}
	return faultf(ClassPolicy, "the policy does not accept "+strings.Join(unaccepted, ", "))
}

func (p *Policy) evaluation(number uint64) *fault {
	if number >= p.MinEvaluation {
		return nil
	}
	return faultf(ClassPolicy, fmt.Sprintf("the collateral has evaluation data number %d, the policy wants %d", number, p.MinEvaluation))
}

// wanted lists the statuses of the policy.
func (p *Policy) wanted() string {
	out := UpToDate.String()
	for _, s := range p.AcceptStatus {
		if s != UpToDate {
			out += " or " + s.String()
		}
	}
	if p.GraceDays > 0 {
		out += fmt.Sprintf(" or OutOfDate for at most %d days", p.GraceDays)
	}
	return out
}

// explain says for a class where the rule comes from, whose fault a failure is and what to do.
func explain(c Class) (source, blame, remedy string) {
	switch c {
	case ClassQuoteFormat:
		return "Intel DCAP quote format", "operator", "get the whole quote, unchanged, from a platform with Intel's quoting enclave"
	case ClassNoPCKChain:
		return "collateral", "reader", "fetch the platform's PCK certificate chain into the collateral"
	case ClassUntrustedRoot:
		return "trusted root", "host", "not Intel's hardware, or another root: --allow-simulated or --root FILE only if you know it"
	case ClassRevoked, ClassTCBRevoked:
		return "Intel", "host", "do not trust this platform; it must be re-provisioned"
	case ClassExpired, ClassNotYetValid:
		return "validity window", "reader", "fetch fresh collateral, and check the clock"
	case ClassCRLFormat, ClassCRLIssuer, ClassCRLSignature, ClassTCBChain, ClassQEIDChain, ClassTCBSigningCert,
		ClassTCBInfoFormat, ClassTCBInfoSignature, ClassQEIDFormat, ClassQEIDSignature:
		return "Intel PCS", "network", "the collateral is damaged or forged: fetch it again, from Intel or another PCCS"
	case ClassTCBInfoMismatch:
		return "PCK certificate", "reader", "fetch the TCB info of this platform's FMSPC and TEE"
	case ClassTCBNotSupported, ClassTCBUnrecognized, ClassTDXModuleMismatch:
		return "Intel TCB info", "host", "update BIOS, microcode and TDX module, or fetch newer collateral"
	case ClassPolicy:
		return "policy", "operator", "change what runs, or state in the policy that you accept it"
	}
	return "Intel DCAP", "host", "do not trust this quote"
}
