package dcap

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
)

// judgeSignatures follows PCK key → QE report → attestation key → quote.
func (j *judge) judgeSignatures() {
	q := j.q
	if j.chain != nil {
		k := q.qeKey(j.chain.leaf)
		if ak, ok := j.v.attestationKey(k); ok {
			j.pass(checkQESignature)
			j.pass(checkQEBinding)
			j.pass(checkKey)
			j.judgeQuoteSignature(verifyRaw(ak, q.signed, q.Signature[:]))
			return
		}
		signed := verifyRaw(j.chain.leaf.key, q.qeReport, q.QEReportSignature[:])
		j.settle(checkQESignature, faultUnless(signed, ClassQEReportSignature, "the PCK key did not sign the quoting enclave's report"))
		if j.judgeKey() && signed {
			if ak, ok := publicKey(q.AttestationKey[:]); ok {
				j.v.qes.put(k, ak, maxQEs)
			}
		}
		return
	}
	j.judgeKey()
}

// judgeKey checks binding, key and signature without the PCK chain's help and says whether all are good.
func (j *judge) judgeKey() bool {
	q := j.q
	h := sha256.New()
	h.Write(q.AttestationKey[:])
	h.Write(q.QEAuthData)
	bound := bytes.Equal(h.Sum(nil), q.QEReport.ReportData[:32]) // the upper half is zero in practice and ignored by Intel
	j.settle(checkQEBinding, faultUnless(bound, ClassQEReportData, "the quoting enclave's report does not name this attestation key"))
	ak, ok := publicKey(q.AttestationKey[:])
	if !j.settle(checkKey, faultUnless(ok, ClassAttestationKey, "the attestation key is not a point on P-256")) {
		return false
	}
	signed := verifyRaw(ak, q.signed, q.Signature[:])
	j.judgeQuoteSignature(signed)
	return bound && signed
}

func (j *judge) judgeQuoteSignature(signed bool) {
	j.settle(checkQuoteSignature, faultUnless(signed, ClassQuoteSignature, "the attestation key did not sign this header and report"))
}

func faultUnless(ok bool, class Class, detail string) *fault {
	if ok {
		return nil
	}
	return faultf(class, detail)
}

// judgeTCB finds the levels and joins them (sections 4.1.2.5.1 to .3).
func (j *judge) judgeTCB() {
	t, identity := j.m.info, j.m.identity
	if j.m.infoFault != nil || j.m.identityFault != nil || j.chain == nil || t.tee != j.q.Header.TEE {
		return
	}
	var svn *[16]byte
	if td := j.q.TD; td != nil {
		svn = &td.TEETCBSVN
		if !j.settle(checkModule, t.checkModule(td)) {
			return
		}
	} else {
		j.skip(checkModule, "not applicable: SGX has no TDX module")
	}
	qe := svnLevelFor(identity.levels, uint64(j.q.QEReport.SVN))
	if qe == nil {
		j.fail(checkTCB, faultf(ClassTCBNotSupported, "the quoting enclave is older than every level of its identity"))
		return
	}
	launch, f := j.evaluate(svn, qe)
	if f != nil {
		j.fail(checkTCB, f)
		return
	}
	j.report.Launch = launch
	status := launch.Status
	if j.q.BodyType == BodyTD15 || j.q.BodyType == BodyTD15Extended {
		current, f := j.evaluate(&j.q.TD.TEETCBSVN2, qe)
		if f != nil {
			f.detail = "at the current TEE_TCB_SVN2: " + f.detail
			j.fail(checkTCB, f)
			return
		}
		j.report.Current = current
		status = relaunch(launch.Status, current.Status)
	}
	j.pass(checkTCB)
	j.settleStatus(status)
}

func (j *judge) evaluate(svn *[16]byte, qe *svnLevel) (*Evaluation, *fault) {
	e, f := j.m.info.evaluate(j.chain.pck, svn, uint64(j.q.QEReport.SVN), qe)
	if f != nil {
		return nil, f
	}
	if e.QE != UpToDate {
		e.short("QE ISVSVN", uint64(j.q.QEReport.SVN), j.m.identity.levels[0].svn, "update the host's quoting enclave (DCAP packages)")
	}
	return &e, nil
}

// settleStatus keeps the status for conclude, which publishes it only if nothing failed.
func (j *judge) settleStatus(s Status) {
	j.report.Status = s
	j.report.Advisories = j.report.Launch.Advisories
	c := &j.report.Checks[checkStatus]
	c.Got, c.Want, c.Source = s.String(), UpToDate.String(), "Intel TCB info and QE identity"
	switch s {
	case UpToDate:
		j.pass(checkStatus)
	case Revoked:
		j.fail(checkStatus, faultf(ClassTCBRevoked, "Intel revoked this TCB: its keys may be in other hands"))
	default:
		c.Outcome, c.Fault = appraisal.Warning, "host"
		c.Detail, c.Remedy = s.String()+advisoriesText(j.report.Advisories), j.statusRemedy(s)
	}
}

func advisoriesText(a []string) string {
	if len(a) == 0 {
		return ""
	}
	return " (" + strings.Join(a, ", ") + ")"
}

func (j *judge) statusRemedy(s Status) string {
	if s == TDRelaunchAdvised || s == TDRelaunchAdvisedConfigurationNeeded {
		return "the host has updated its TDX module since this TD was launched: relaunch the TD"
	}
	if short := j.report.Launch.Shortfalls; len(short) > 0 {
		return short.String()
	}
	switch s {
	case SWHardeningNeeded, ConfigurationAndSWHardeningNeeded:
		return "the software inside must carry the mitigations of these advisories"
	}
	return "the host's BIOS settings need attention: see the advisories"
}

// supplement fills what Intel calls supplemental data.
func (j *judge) supplement() {
	r := j.report
	if j.expiry != 0 {
		r.EarliestExpiration = time.Unix(j.expiry, 0).UTC()
	}
	if r.Launch != nil {
		r.TCBDate = time.Unix(r.Launch.TCBDate, 0).UTC()
	}
	if j.m.rootCRL != nil {
		r.RootCRLNumber = j.m.rootCRL.number
		j.issued(j.m.rootCRL.thisUpdate)
	}
	if j.m.pckCRL != nil && j.m.pckCRLFault == nil {
		r.PCKCRLNumber = j.m.pckCRL.number
		j.issued(j.m.pckCRL.thisUpdate)
	}
	if j.m.infoFault == nil {
		r.TCBInfoNumber = j.m.info.evaluation
		j.issued(j.m.info.issued)
	}
	if j.m.identityFault == nil {
		r.QEIdentityNumber = j.m.identity.evaluation
		j.issued(j.m.identity.issued)
	}
}

func (j *judge) issued(at int64) {
	t, r := time.Unix(at, 0).UTC(), j.report
	if r.EarliestIssue.IsZero() || t.Before(r.EarliestIssue) {
		r.EarliestIssue = t
	}
	if t.After(r.LatestIssue) {
		r.LatestIssue = t
	}
}
