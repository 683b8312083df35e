package dcap

import (
	"time"

	"github.com/teapot-tee/teapot/appraisal"
)

// Report is the verdict on one quote.
type Report struct {
	Quote *Quote // nil when the quote could not be read

	// Status is Intel's verdict; StatusNone when a check before it failed, whatever the platform would be worth.
	Status     Status
	Advisories []string // of the matched levels, sorted
	// Accepted says that every check passed and the policy is met.
	Accepted bool
	// Class is that of the first failed check; "" when none failed.
	Class  Class
	Checks []appraisal.Check // in fixed order

	Simulated  bool     // the root is not the pinned Intel root
	RootSHA256 [32]byte // of the trusted root, DER

	PCK     *PCK        // what the PCK certificate says; nil when the chain failed
	Launch  *Evaluation // the TCB that the quote was made with; nil when not reached
	Current *Evaluation // TD 1.5: the TCB that runs now

	TCBDate            time.Time // earliest of the matched levels
	EarliestIssue      time.Time // of TCB info, QE identity and revocation lists
	LatestIssue        time.Time
	EarliestExpiration time.Time // of the same and of all certificates
	TCBInfoNumber      uint64    // tcbEvaluationDataNumber
	QEIdentityNumber   uint64
	RootCRLNumber      []byte // big-endian magnitude
	PCKCRLNumber       []byte
	RootKeySHA384      [48]byte // of the root's SubjectPublicKeyInfo point, x||y
}

// EvaluationNumber is the lower of the two data numbers, as Intel reports it.
func (r *Report) EvaluationNumber() uint64 { return min(r.TCBInfoNumber, r.QEIdentityNumber) }

// The checks in their order.
const (
	checkFormat = iota
	checkRoot
	checkPCKChain
	checkPCKValidity
	checkRootCRL
	checkPCKCRL
	checkRevocation
	checkTCBChain
	checkTCBSignature
	checkTCBFormat
	checkTCBValidity
	checkTCBMatch
	checkQEIDChain
	checkQEIDSignature
	checkQEIDFormat
	checkQEIDValidity
	checkQEIDMatch
	checkQESignature
	checkQEBinding
	checkQEIdentity
	checkKey
	checkQuoteSignature
	checkModule
	checkTCB
	checkStatus

	checkPolicyStatus // from here on: policy
	checkPolicyAdvisories
	checkPolicyEvaluation
	checkPolicyDebug
	checkPolicyTUD
	checkPolicyMigratable
	checkPolicyServiceTD
	checkPolicyReserved
	checkPolicyXFAM
	checkCount
)

// checkSpecs says of each check its id, its place in the chain of trust and what passing means.
var checkSpecs = [checkCount]struct{ id, link, passed string }{
	checkFormat:         {"quote.format", "hardware", "the quote is well-formed"},
	checkRoot:           {"root.trusted", "hardware", "the chain ends in the trusted root"},
	checkPCKChain:       {"pck.chain", "hardware", "the root vouches for the platform's PCK certificate"},
	checkPCKValidity:    {"pck.validity", "hardware", "the platform's certificates are valid at this time"},
	checkRootCRL:        {"crl.root", "hardware", "the root's revocation list is genuine and current"},
	checkPCKCRL:         {"crl.pck", "hardware", "the PCK CA's revocation list is genuine and current"},
	checkRevocation:     {"crl.revocation", "hardware", "no certificate is revoked"},
	checkTCBChain:       {"tcbinfo.chain", "tcb", "the root vouches for the signer of TCB info"},
	checkTCBSignature:   {"tcbinfo.signature", "tcb", "TCB info is signed"},
	checkTCBFormat:      {"tcbinfo.format", "tcb", "TCB info is well-formed"},
	checkTCBValidity:    {"tcbinfo.validity", "tcb", "TCB info is valid at this time"},
	checkTCBMatch:       {"tcbinfo.match", "tcb", "TCB info is for this kind of platform"},
	checkQEIDChain:      {"qeidentity.chain", "tcb", "the root vouches for the signer of the QE identity"},
	checkQEIDSignature:  {"qeidentity.signature", "tcb", "the QE identity is signed"},
	checkQEIDFormat:     {"qeidentity.format", "tcb", "the QE identity is well-formed"},
	checkQEIDValidity:   {"qeidentity.validity", "tcb", "the QE identity is valid at this time"},
	checkQEIDMatch:      {"qeidentity.match", "tcb", "the QE identity is for this TEE"},
	checkQESignature:    {"qe.signature", "hardware", "the PCK key signed the quoting enclave's report"},
	checkQEBinding:      {"qe.binding", "hardware", "the quoting enclave vouches for the attestation key"},
	checkQEIdentity:     {"qe.identity", "hardware", "the quoting enclave is Intel's"},
	checkKey:            {"quote.attestation_key", "hardware", "the attestation key is a point on P-256"},
	checkQuoteSignature: {"quote.signature", "hardware", "the attestation key signed header and report"},
	checkModule:         {"tdx.module", "hardware", "the TDX module is Intel's"},
	checkTCB:            {"tcb.level", "tcb", "the platform, its TDX module and its quoting enclave reach known levels"},
	checkStatus:         {"tcb.status", "tcb", "UpToDate"},

	checkPolicyStatus:     {"policy.status", "tcb", "the policy accepts the status"},
	checkPolicyAdvisories: {"policy.advisories", "tcb", "the policy accepts the advisories"},
	checkPolicyEvaluation: {"policy.evaluation_number", "tcb", "the collateral is as new as the policy wants"},
	checkPolicyDebug:      {"policy.debug", "hardware", "no debugger can look inside"},
	checkPolicyTUD:        {"policy.tud", "hardware", "the TD is not under test"},
	checkPolicyMigratable: {"policy.migratable", "hardware", "the TD cannot be migrated"},
	checkPolicyServiceTD:  {"policy.service_td", "hardware", "no service TD is bound"},
	checkPolicyReserved:   {"policy.reserved_attributes", "hardware", "no unknown attribute is set"},
	checkPolicyXFAM:       {"policy.xfam", "hardware", "the extended features are known ones"},
}
