package dcap

import (
	"bytes"
	"fmt"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
)

// judge runs the checks of one verification in order. A check that needs what an earlier one did not deliver stays
// not_checked; all others run, so that one report names everything that is wrong.
type judge struct {
	v      *Verifier
	policy *Policy
	report *Report
	root   *certificate
	m      *material
	q      *Quote
	chain  *pckChain
	floor  int64 // the time to judge at, whole seconds: issue dates must not be later
	ceil   int64 // the same, rounded up: expiry must not be earlier

	notApplicable [checkCount]bool
	expiry        int64
}

func newReport() *Report {
	r := &Report{Checks: make([]appraisal.Check, checkCount)}
	for i := range r.Checks {
		r.Checks[i] = appraisal.Check{ID: checkSpecs[i].id, Link: checkSpecs[i].link, Detail: "not reached"}
	}
	return r
}

func (j *judge) setTime(at time.Time) {
	j.floor = at.Unix()
	j.ceil = j.floor
	if at.Nanosecond() > 0 {
		j.ceil++
	}
}

func (j *judge) pass(check int) {
	c := &j.report.Checks[check]
	c.Outcome, c.Detail = appraisal.Passed, checkSpecs[check].passed
}

// skip marks a check that does not exist for this quote.
func (j *judge) skip(check int, why string) {
	j.notApplicable[check] = true
	j.report.Checks[check].Detail = why
}

// settle passes the check or fails it with the fault.
func (j *judge) settle(check int, f *fault) bool {
	if f == nil {
		j.pass(check)
		return true
	}
	j.fail(check, f)
	return false
}

func (j *judge) fail(check int, f *fault) {
	c := &j.report.Checks[check]
	c.Outcome, c.Detail = appraisal.Failed, f.detail
	c.Source, c.Fault, c.Remedy = explain(f.class)
	if j.report.Class == "" {
		j.report.Class = f.class
	}
}

func (j *judge) run(format *fault, c *Collateral) {
	if j.settle(checkFormat, format) {
		j.judgeChain(c)
		j.judgeCRLs()
		j.judgeTCBInfo()
		j.judgeIdentity()
		j.judgeSignatures()
		j.judgeTCB()
	}
	j.supplement()
	j.conclude()
}

// judgeChain verifies the platform's certificates (section 4.1.2.1).
func (j *judge) judgeChain(c *Collateral) {
	text := j.q.chainText(c)
	if j.q.CertType != 5 && len(text) == 0 {
		j.fail(checkPCKChain, faultf(ClassNoPCKChain, fmt.Sprintf("certification data of type %d brings no chain and the collateral has none", j.q.CertType)))
		return
	}
	chain, f := j.v.chain(text, j.root)
	if f == nil {
		f = j.q.checkCertData(chain.leaf)
	}
	switch {
	case f == nil:
		j.chain, j.report.PCK = chain, chain.pck
		j.pass(checkRoot)
		j.pass(checkPCKChain)
		j.settle(checkPCKValidity, j.valid(j.root, chain.ca, chain.leaf))
	case f.class == ClassUntrustedRoot:
		j.fail(checkRoot, f)
	default:
		j.fail(checkPCKChain, f)
	}
}

// checkCertData keeps certification data of types 1 to 4 honest, which no signature covers: a certificate there is the
// chain's, and data that says it has none has none.
func (q *Quote) checkCertData(leaf *certificate) *fault {
	if q.CertType == 5 {
		return nil
	}
	switch blocks, ok := pemBlocks(q.CertData, pemCertificate, 1); {
	case q.CertType == 4 && (!ok || len(blocks) != 1 || !bytes.Equal(blocks[0], leaf.raw)):
		return faultf(ClassPCKChain, "the PCK certificate in the quote is not that of the collateral's chain")
	case q.CertType < 4 && bytes.Contains(q.CertData, []byte("-----BEGIN")):
		return faultf(ClassPCKChain, fmt.Sprintf("certification data of type %d has certificates in it", q.CertType))
	}
	return nil
}

// valid checks certificates' windows, both ends inclusive.
func (j *judge) valid(certs ...*certificate) *fault {
	for _, c := range certs {
		if f := j.window(c.notBefore, c.notAfter, c.cn); f != nil {
			return f
		}
	}
	return nil
}

// window checks that from ≤ now ≤ to and keeps the earliest expiry.
func (j *judge) window(from, to int64, what string) *fault {
	if j.expiry == 0 || to < j.expiry {
		j.expiry = to
	}
	switch {
	case from > j.floor:
		return faultf(ClassNotYetValid, what+" is valid only from "+stamp(from)+"; judged at "+stamp(j.floor))
	case to < j.ceil:
		return faultf(ClassExpired, what+" was valid until "+stamp(to)+"; judged at "+stamp(j.floor))
	}
	return nil
}

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

// judgeCRLs verifies both revocation lists and looks every certificate up.
func (j *judge) judgeCRLs() {
	f := j.m.rootCRLFault
	if f == nil {
		f = j.window(j.m.rootCRL.thisUpdate, j.m.rootCRL.nextUpdate, "the root revocation list")
	}
	j.settle(checkRootCRL, f)
	if j.chain == nil {
		return
	}
	if f = j.m.pckCRLOf(j.chain.ca); f == nil {
		f = j.window(j.m.pckCRL.thisUpdate, j.m.pckCRL.nextUpdate, "the PCK revocation list")
	}
	j.settle(checkPCKCRL, f)
	if j.m.rootCRLFault == nil && j.m.pckCRLOf(j.chain.ca) == nil {
		j.settle(checkRevocation, j.revoked())
	}
}

func (j *judge) revoked() *fault {
	switch root := j.m.rootCRL; {
	case root.lists(j.root.serial):
		return faultf(ClassRevoked, "the root revoked itself")
	case root.lists(j.chain.ca.serial):
		return faultf(ClassRevoked, "the root revoked the PCK CA")
	case j.m.pckCRL.lists(j.chain.leaf.serial):
		return faultf(ClassRevoked, "the PCK CA revoked the platform's PCK certificate")
	}
	for _, s := range []*certificate{j.m.infoSigner.signer, j.m.identitySigner.signer} {
		if s != nil && j.m.rootCRL.lists(s.serial) {
			return faultf(ClassRevoked, "the root revoked the TCB signing certificate")
		}
	}
	return nil
}

// judgeTCBInfo verifies TCB info and that it speaks of this platform (sections 4.1.2.3 and 4.1.2.5).
func (j *judge) judgeTCBInfo() {
	j.settleSigned(&j.m.infoSigner, checkTCBChain, checkTCBSignature)
	if !j.settle(checkTCBFormat, j.m.infoFault) {
		return
	}
	t := j.m.info
	j.settle(checkTCBValidity, j.window(t.issued, t.next, "TCB info"))
	if j.chain != nil {
		j.settle(checkTCBMatch, matchPlatform(t, j.q.Header.TEE, j.chain.pck))
	}
}

func matchPlatform(t *tcbInfo, tee TEE, p *PCK) *fault {
	switch {
	case t.tee != tee:
		return faultf(ClassTCBInfoMismatch, fmt.Sprintf("TCB info is for %s, the quote is from %s", t.tee, tee))
	case t.fmspc != p.FMSPC:
		return faultf(ClassTCBInfoMismatch, fmt.Sprintf("TCB info is for FMSPC %x, the platform is %x", t.fmspc, p.FMSPC))
	case t.pceID != p.PCEID:
		return faultf(ClassTCBInfoMismatch, fmt.Sprintf("TCB info is for PCE-ID %x, the platform's is %x", t.pceID, p.PCEID))
	}
	return nil
}

// settleSigned reports signer chain, its window and the signature.
func (j *judge) settleSigned(s *signed, chain, signature int) {
	if s.chainFault != nil {
		j.fail(chain, s.chainFault)
		return
	}
	j.settle(chain, j.valid(s.signer, j.root))
	j.settle(signature, s.signatureFault)
}

// judgeIdentity verifies the QE identity (section 4.1.2.4).
func (j *judge) judgeIdentity() {
	j.settleSigned(&j.m.identitySigner, checkQEIDChain, checkQEIDSignature)
	if !j.settle(checkQEIDFormat, j.m.identityFault) {
		return
	}
	i := j.m.identity
	j.settle(checkQEIDValidity, j.window(i.issued, i.next, "the QE identity"))
	want := "QE"
	if j.q.Header.TEE == TDX {
		want = "TD_QE"
	}
	var f *fault
	if i.id != want {
		f = faultf(ClassQEIDMismatch, fmt.Sprintf("the identity is of %s, a %s quote needs %s", i.id, j.q.Header.TEE, want))
	}
	j.settle(checkQEIDMatch, f)
	f = nil
	if differs := i.matches(&j.q.QEReport); differs != "" {
		f = faultf(ClassQEIDMismatch, differs)
	}
	j.settle(checkQEIdentity, f)
}
