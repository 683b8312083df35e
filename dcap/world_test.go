package dcap_test

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap"
)

// world is everything one verification sees, made by the simulator's PKI and good until a fault spoils one part.
type world struct {
	t        *testing.T
	a        *pki.Authority
	tee      pki.TEE
	leaf, ca *pki.Certificate
	signer   *pki.Certificate
	chain    []*pki.Certificate // what the quote carries
	rootCRL  pki.CRLSpec
	pckCRL   pki.CRLSpec
	info     pki.TCBInfo
	identity pki.Identity
	qe       pki.EnclaveReport
	auth     []byte
	td       pki.TDReport
	enclave  pki.EnclaveReport
	spec     pki.Spec

	infoText, identityText func(string) string // before signing
	documents              func(d *pki.Documents)
	damage                 func(quote []byte) []byte
	options                dcap.Options
}

func newWorld(t *testing.T, tee pki.TEE) *world {
	a := authority(t)
	issued := simNow.Add(-time.Hour)
	window := pki.CRLSpec{Number: 7, ThisUpdate: issued, NextUpdate: issued.Add(pki.Lifetime)}
	w := &world{
		t: t, a: a, tee: tee, leaf: a.PCK, ca: a.PlatformCA, signer: a.TCBSigner, rootCRL: window, pckCRL: window,
		info: a.TCBInfo(tee, issued), identity: a.Identity(tee, issued), qe: a.QEReport(), auth: []byte{1, 2, 3},
		enclave: pki.EnclaveReport{CPUSVN: a.Platform().CPUSVN},
		spec:    pki.Spec{Version: 3, TEE: tee},
		options: dcap.Options{Root: a.RootDER(), At: simNow},
	}
	w.rootCRL.Issuer, w.pckCRL.Issuer = a.Root, a.PlatformCA
	w.td.TEETCBSVN = [16]byte{5, 1, 5}
	w.td.TEETCBSVN2 = w.td.TEETCBSVN
	if tee == pki.TDX {
		w.qe, w.spec.Version = a.TDQEReport(), 4
	}
	return w
}

// mint makes a certificate from a spec of the authority after change.
func (w *world) mint(spec pki.CertSpec, change func(s *pki.CertSpec)) *pki.Certificate {
	change(&spec)
	c, err := pki.Mint(spec)
	w.must(err)
	return c
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// newLeaf replaces the PCK certificate.
func (w *world) newLeaf(change func(s *pki.CertSpec)) {
	w.leaf = w.mint(w.a.PCKSpec(), func(s *pki.CertSpec) { s.Issuer = w.ca; change(s) })
}

// newCA replaces the PCK CA and what it issued.
func (w *world) newCA(change func(s *pki.CertSpec)) {
	w.ca = w.mint(w.a.PlatformCASpec(), change)
	w.pckCRL.Issuer = w.ca
	w.newLeaf(func(*pki.CertSpec) {})
}

// platform replaces what the PCK certificate says.
func (w *world) platform(change func(p *pki.Platform)) {
	p := w.a.Platform()
	change(&p)
	w.newLeaf(func(s *pki.CertSpec) { s.Extensions[0] = p.Extension() })
}

func (w *world) list(s pki.CRLSpec) string {
	der, err := pki.IssueCRL(s)
	w.must(err)
	return hex.EncodeToString(der)
}

// verify builds quote and collateral and judges them.
func (w *world) verify() *dcap.Report {
	signers := string(pki.ChainPEM(w.signer, w.a.Root))
	d := pki.Documents{
		PCKCRLIssuerChain: string(pki.ChainPEM(w.ca, w.a.Root)), RootCACRL: w.list(w.rootCRL), PCKCRL: w.list(w.pckCRL),
		TCBInfoIssuerChain: signers, QEIdentityIssuerChain: signers,
	}
	d.TCBInfo, d.TCBInfoSignature = w.sign(string(w.info.JSON()), w.infoText)
	d.QEIdentity, d.QEIdentitySignature = w.sign(string(w.identity.JSON()), w.identityText)
	if w.documents != nil {
		w.documents(&d)
	}
	c, err := dcap.ParseCollateral(d.JSON())
	w.must(err)
	var v dcap.Verifier
	r, err := v.Verify(w.quote(), c, w.options)
	w.must(err)
	return r
}

func (w *world) sign(text string, change func(string) string) (document, signature string) {
	if change != nil {
		text = change(text)
	}
	raw, err := pki.Sign(w.signer.Key, []byte(text))
	w.must(err)
	return text, hex.EncodeToString(raw[:])
}

func (w *world) quote() []byte {
	s := w.spec
	if s.QE == nil {
		qe, err := pki.NewQE(w.leaf.Key, w.attestationKey(), w.qe, w.auth)
		w.must(err)
		s.QE = qe
	}
	if s.Body == nil && w.tee == pki.SGX {
		s.Body = w.enclave.Bytes()
	} else if s.Body == nil {
		s.Body = w.td.Bytes10()
		if s.BodyType == dcap.BodyTD15 {
			s.Body = w.td.Bytes15()
		}
	}
	if s.CertData == nil {
		if w.chain == nil {
			w.chain = []*pki.Certificate{w.leaf, w.ca, w.a.Root}
		}
		s.CertData = pki.ChainPEM(w.chain...)
	}
	q, err := w.a.Quote(s)
	w.must(err)
	if w.damage != nil {
		q = w.damage(bytes.Clone(q))
	}
	return q
}
