package dcap

// Class names the kind of a failure. It is stable and machine-readable; facts of one case go into the check's text.
type Class string

// Classes. Intel's status codes of the same meaning are in docs/formats/dcap-report.md.
const (
	ClassQuoteFormat       Class = "quote_format"
	ClassAttestationKey    Class = "attestation_key"
	ClassNoPCKChain        Class = "no_pck_chain"
	ClassPCKChain          Class = "pck_chain"
	ClassUntrustedRoot     Class = "untrusted_root"
	ClassPCKCert           Class = "pck_cert"
	ClassPCKExtension      Class = "pck_extension"
	ClassRevoked           Class = "revoked"
	ClassCRLFormat         Class = "crl_format"
	ClassCRLIssuer         Class = "crl_issuer"
	ClassCRLSignature      Class = "crl_signature"
	ClassTCBChain          Class = "tcb_chain"
	ClassQEIDChain         Class = "qeid_chain"
	ClassTCBSigningCert    Class = "tcb_signing_cert"
	ClassTCBInfoFormat     Class = "tcbinfo_format"
	ClassTCBInfoSignature  Class = "tcbinfo_signature"
	ClassTCBInfoMismatch   Class = "tcbinfo_mismatch"
	ClassQEIDFormat        Class = "qeid_format"
	ClassQEIDSignature     Class = "qeid_signature"
	ClassQEIDMismatch      Class = "qeid_mismatch"
	ClassExpired           Class = "expired"
	ClassNotYetValid       Class = "not_yet_valid"
	ClassQEReportSignature Class = "qe_report_signature"
	ClassQEReportData      Class = "qe_report_data"
	ClassQuoteSignature    Class = "quote_signature"
	ClassTDXModuleMismatch Class = "tdx_module_mismatch"
	ClassTCBNotSupported   Class = "tcb_not_supported"
	ClassTCBUnrecognized   Class = "tcb_unrecognized"
	ClassTCBRevoked        Class = "tcb_revoked"
	ClassPolicy            Class = "policy"
)

// fault is a failure of one part: its class and one sentence. nil means no failure.
type fault struct {
	class  Class
	detail string
}

func (f *fault) Error() string { return string(f.class) + ": " + f.detail }

func faultf(class Class, detail string) *fault { return &fault{class, detail} }
