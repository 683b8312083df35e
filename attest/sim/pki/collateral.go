package pki

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// TEE selects the collateral: SGX or TDX.
type TEE uint8

// TEEs.
const (
	SGX TEE = iota
	TDX
)

// Lifetime of TCB info, identities and revocation lists, as Intel's.
const Lifetime = 30 * 24 * time.Hour

// Documents is collateral before it is written: tests spoil one part and write it.
type Documents struct {
	PCKCRLIssuerChain     string `json:"pck_crl_issuer_chain"`
	RootCACRL             string `json:"root_ca_crl"` // hex DER
	PCKCRL                string `json:"pck_crl"`     // hex DER
	TCBInfoIssuerChain    string `json:"tcb_info_issuer_chain"`
	TCBInfo               string `json:"tcb_info"`
	TCBInfoSignature      string `json:"tcb_info_signature"`
	QEIdentityIssuerChain string `json:"qe_identity_issuer_chain"`
	QEIdentity            string `json:"qe_identity"`
	QEIdentitySignature   string `json:"qe_identity_signature"`
	PCKCertificateChain   string `json:"pck_certificate_chain,omitempty"`
}

// JSON writes the documents in dcap-qvl's format.
func (d Documents) JSON() []byte {
	out, err := json.Marshal(d)
	if err != nil {
		panic("internal: pki: " + err.Error()) // strings only
	}
	return out
}

// Collateral issues collateral that is valid from one hour before at for 30 days, in dcap-qvl's JSON format.
// Issuing again later renews every window with the same keys; CRL numbers grow with time.
func (a *Authority) Collateral(tee TEE, at time.Time) ([]byte, error) {
	d, err := a.Documents(tee, at)
	if err != nil {
		return nil, err
	}
	return d.JSON(), nil
}

// Documents is Collateral before it is written.
func (a *Authority) Documents(tee TEE, at time.Time) (Documents, error) {
	at = at.UTC().Truncate(time.Second).Add(-time.Hour)
	root, err := IssueCRL(CRLSpec{Issuer: a.Root, Number: at.Unix(), ThisUpdate: at, NextUpdate: at.Add(Lifetime)})
	if err != nil {
		return Documents{}, err
	}
	pck, err := IssueCRL(CRLSpec{Issuer: a.PlatformCA, Number: at.Unix(), ThisUpdate: at, NextUpdate: at.Add(Lifetime)})
	if err != nil {
		return Documents{}, err
	}
	signers := string(ChainPEM(a.TCBSigner, a.Root))
	d := Documents{
		PCKCRLIssuerChain: string(ChainPEM(a.PlatformCA, a.Root)), TCBInfoIssuerChain: signers, QEIdentityIssuerChain: signers,
		RootCACRL: hex.EncodeToString(root), PCKCRL: hex.EncodeToString(pck),
	}
	return d, a.SignDocuments(&d, a.TCBInfo(tee, at).JSON(), a.Identity(tee, at).JSON())
}

// SignDocuments puts the exact bytes of a TCB info and an identity with the TCB signer's signatures into d.
func (a *Authority) SignDocuments(d *Documents, tcbInfo, identity []byte) error {
	tcbSignature, err := Sign(a.TCBSigner.Key, tcbInfo)
	if err != nil {
		return err
	}
	qeSignature, err := Sign(a.TCBSigner.Key, identity)
	if err != nil {
		return err
	}
	d.TCBInfo, d.TCBInfoSignature = string(tcbInfo), hex.EncodeToString(tcbSignature[:])
	d.QEIdentity, d.QEIdentitySignature = string(identity), hex.EncodeToString(qeSignature[:])
	return nil
}

const evaluation = 18 // tcbEvaluationDataNumber of everything the simulator issues

// TCBInfo is the TCB info of the authority's platform: its own level UpToDate, one below it OutOfDate.
func (a *Authority) TCBInfo(tee TEE, issued time.Time) TCBInfo {
	p := a.platform
	current := Level{SGX: p.Components, PCESVN: p.PCESVN, Date: a.levelDate(), Status: "UpToDate"}
	old := Level{
		SGX: [16]byte{2, 2, 2, 2, 3, 1}, PCESVN: 5, Date: a.levelDate().AddDate(-1, 0, 0), Status: "OutOfDate",
		Advisories: []string{"INTEL-SA-00828"},
	}
	t := TCBInfo{
		ID: "SGX", Version: 3, Issued: issued, Next: issued.Add(Lifetime), FMSPC: p.FMSPC, PCEID: p.PCEID,
		Evaluation: evaluation,
	}
	if tee == TDX {
		t.ID = "TDX"
		current.TDX = [16]byte{5, 0, 5}
		old.TDX = [16]byte{3, 0, 4}
		t.Module = Module{Mask: ones}
		t.ModuleIdentities = []Module{{ID: fmt.Sprintf("TDX_%02X", moduleMajor), Mask: ones, Levels: []SVNLevel{
			{SVN: moduleSVN, Date: a.levelDate(), Status: "UpToDate"},
			{SVN: 2, Date: a.levelDate().AddDate(-1, 0, 0), Status: "OutOfDate"},
		}}}
	}
	t.Levels = []Level{current, old}
	return t
}

var ones = [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// Identity is the identity of the simulated quoting enclave.
func (a *Authority) Identity(tee TEE, issued time.Time) Identity {
	qe := a.QEReport()
	id := Identity{ID: "QE"}
	if tee == TDX {
		qe, id.ID = a.TDQEReport(), "TD_QE"
	}
	id.Version, id.Issued, id.Next, id.Evaluation = 2, issued, issued.Add(Lifetime), evaluation
	id.MiscMask = [4]byte{0xff, 0xff, 0xff, 0xff}
	id.Attributes[0] = 0x11
	id.AttributesMask = [16]byte{0xfb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	id.MRSigner, id.ProdID = qe.MRSigner, qe.ProdID
	id.Levels = []SVNLevel{
		{SVN: qe.SVN, Date: a.levelDate(), Status: "UpToDate"},
		{SVN: qe.SVN - 2, Date: a.levelDate().AddDate(-1, 0, 0), Status: "OutOfDate", Advisories: []string{"INTEL-SA-00615"}},
	}
	return id
}

// levelDate is the tcbDate of the current level: half a year before the authority was made.
func (a *Authority) levelDate() time.Time { return a.now.AddDate(0, -6, 0).Truncate(24 * time.Hour) }
