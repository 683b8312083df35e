package dcap_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap"
)

var attestation = pki.RandomKey()

func (w *world) attestationKey() *ecdsa.PrivateKey { return attestation }

// oneFault is one case: a change to a good world and the class of failure, or the status, that it must give.
type oneFault struct {
	name string
	tee  pki.TEE
	want string
	do   func(w *world)
}

func replace(old, new string) func(string) string {
	return func(s string) string {
		if !strings.Contains(s, old) {
			panic("internal: nothing to replace: " + old)
		}
		return strings.Replace(s, old, new, 1)
	}
}

func without(member string) func(string) string {
	return func(s string) string {
		i := strings.Index(s, `"`+member+`":`)
		end := i + strings.IndexAny(s[i:], ",")
		return s[:i] + s[end+1:]
	}
}

func at(offset int, to ...byte) func([]byte) []byte {
	return func(q []byte) []byte { copy(q[offset:], to); return q }
}

func flip(offset int) func([]byte) []byte {
	return func(q []byte) []byte { q[offset] ^= 1; return q }
}

const (
	sgx = pki.SGX
	tdx = pki.TDX
)

// offsets in a version 3 SGX quote: header 48, report 384, length, then the signature data.
const (
	v3Signature = 436
	v3Key       = v3Signature + 64
	v3QEReport  = v3Key + 64
	v3QESig     = v3QEReport + 384
	v3Auth      = v3QESig + 64
)

var formatFaults = []oneFault{
	{"version 2", sgx, "quote_format", func(w *world) { w.damage = at(0, 2) }},
	{"version 6", sgx, "quote_format", func(w *world) { w.damage = at(0, 6) }},
	{"key type 3", sgx, "quote_format", func(w *world) { w.damage = at(2, 3) }},
	{"tee type", sgx, "quote_format", func(w *world) { w.damage = at(4, 0x81) }},
	{"tee type with high bytes", tdx, "quote_format", func(w *world) { w.damage = at(7, 1) }},
	{"vendor", sgx, "quote_format", func(w *world) { w.damage = flip(12) }},
	{"signature length + 1", sgx, "quote_format", func(w *world) { w.damage = at(432, 0xff, 0xff, 0xff, 0xff) }},
	{"signature length - 1", sgx, "quote_format", func(w *world) {
		w.damage = func(q []byte) []byte {
			binary.LittleEndian.PutUint32(q[432:], binary.LittleEndian.Uint32(q[432:])-1)
			return q
		}
	}},
	{"auth length", sgx, "quote_format", func(w *world) { w.damage = at(v3Auth, 0xff, 0xff) }},
	{"certification type 0", sgx, "quote_format", func(w *world) { w.damage = at(v3Auth+5, 0) }},
	{"certification type 6", sgx, "quote_format", func(w *world) { w.damage = at(v3Auth+5, 6) }},
	{"certification size", sgx, "quote_format", func(w *world) { w.damage = at(v3Auth+7, 0xff, 0xff, 0xff, 0xff) }},
	{"outer type 5", tdx, "quote_format", func(w *world) { w.damage = at(764, 5) }},
	{"outer size", tdx, "quote_format", func(w *world) { w.damage = flip(766) }},
	{"body type 0", tdx, "quote_format", func(w *world) { w.spec.Version = 5; w.damage = at(48, 0) }},
	{"body type 5", tdx, "quote_format", func(w *world) { w.spec.Version = 5; w.damage = at(48, 5) }},
	{"body type of the other TEE", tdx, "quote_format", func(w *world) { w.spec.Version = 5; w.damage = at(48, 1) }},
	{"body size", tdx, "quote_format", func(w *world) { w.spec.Version = 5; w.damage = flip(50) }},
}

var chainFaults = []oneFault{
	{"processor CA", sgx, "UpToDate", func(w *world) {
		w.newCA(func(s *pki.CertSpec) { s.CN = pki.ProcessorCACN })
		w.platform(func(p *pki.Platform) { p.Skip = map[int]bool{6: true, 7: true} })
	}},
	{"chain in any order", sgx, "UpToDate", func(w *world) { w.chain = []*pki.Certificate{w.a.Root, w.ca, w.leaf} }},
	{"six SGX elements", sgx, "pck_extension", func(w *world) { w.platform(func(p *pki.Platform) { p.Skip = map[int]bool{7: true} }) }},
	{"no chain", sgx, "no_pck_chain", func(w *world) { w.spec.CertType, w.spec.CertData = 3, make([]byte, 404) }},
	{"chain under type 1", sgx, "pck_chain", func(w *world) {
		w.spec.CertType = 1
		w.documents = func(d *pki.Documents) { d.PCKCertificateChain = string(w.a.PCKChainPEM()) }
	}},
	{"another leaf in the collateral", sgx, "pck_chain", func(w *world) {
		w.spec.CertType, w.spec.CertData = 4, w.leaf.PEM()
		w.documents = func(d *pki.Documents) {
			w.newLeaf(func(s *pki.CertSpec) { s.Serial = big.NewInt(5) })
			d.PCKCertificateChain = string(pki.ChainPEM(w.leaf, w.ca, w.a.Root))
		}
	}},
	{"two certificates", sgx, "pck_chain", func(w *world) { w.chain = []*pki.Certificate{w.leaf, w.ca} }},
	{"four certificates", sgx, "pck_chain", func(w *world) { w.chain = []*pki.Certificate{w.leaf, w.ca, w.a.Root, w.a.Root} }},
	{"leaf twice", sgx, "pck_chain", func(w *world) { w.chain = []*pki.Certificate{w.leaf, w.leaf, w.a.Root} }},
	{"leaf under the root", sgx, "pck_chain", func(w *world) { w.newLeaf(func(s *pki.CertSpec) { s.Issuer = w.a.Root }) }},
	{"other root of the same name", sgx, "untrusted_root", func(w *world) { w.options.Root = otherRoot(w.t) }},
	{"leaf of another name", sgx, "pck_chain", func(w *world) { w.newLeaf(func(s *pki.CertSpec) { s.CN = pki.TCBSignerCN }) }},
	{"CA of another name", sgx, "pck_chain", func(w *world) { w.newCA(func(s *pki.CertSpec) { s.CN = "Intel SGX PCK CA" }) }},
	{"CA without the flag", sgx, "pck_chain", func(w *world) { w.newCA(func(s *pki.CertSpec) { s.CA = false }) }},
	{"CA that may not sign certificates", sgx, "pck_chain", func(w *world) { w.newCA(func(s *pki.CertSpec) { s.KeyUsage = x509.KeyUsageCRLSign }) }},
	{"CA that may not sign lists", sgx, "pck_chain", func(w *world) {
		w.newCA(func(s *pki.CertSpec) { s.KeyUsage = x509.KeyUsageCertSign })
		x := *w.ca.X
		x.KeyUsage |= x509.KeyUsageCRLSign // or crypto/x509 would not issue the list
		w.pckCRL.Issuer = &pki.Certificate{DER: w.ca.DER, Key: w.ca.Key, X: &x}
	}},
	{"leaf is a CA", sgx, "pck_cert", func(w *world) { w.newLeaf(func(s *pki.CertSpec) { s.CA = true }) }},
	{"leaf may not sign", sgx, "pck_cert", func(w *world) { w.newLeaf(func(s *pki.CertSpec) { s.KeyUsage = x509.KeyUsageCertSign }) }},
	{"leaf without distribution point", sgx, "pck_extension", func(w *world) { w.newLeaf(func(s *pki.CertSpec) { s.CRLURL = "" }) }},
	{"leaf signed by another key", sgx, "pck_chain", func(w *world) {
		w.newLeaf(func(s *pki.CertSpec) {
			s.Issuer = &pki.Certificate{DER: w.ca.DER, X: clonedFor(w), Key: w.leaf.Key}
		})
	}},
	{"leaf expired", sgx, "expired", func(w *world) { w.newLeaf(func(s *pki.CertSpec) { s.NotAfter = simNow.Add(-time.Second) }) }},
	{"leaf not yet valid", sgx, "not_yet_valid", func(w *world) { w.newLeaf(func(s *pki.CertSpec) { s.NotBefore = simNow.Add(time.Second) }) }},
	{"CA expired", sgx, "expired", func(w *world) { w.newCA(func(s *pki.CertSpec) { s.NotAfter = simNow.Add(-time.Second) }) }},
	{"no SGX extension", sgx, "pck_extension", func(w *world) { w.newLeaf(func(s *pki.CertSpec) { s.Extensions = nil }) }},
	{"no PPID", sgx, "pck_extension", func(w *world) { w.platform(func(p *pki.Platform) { p.Skip = map[int]bool{1: true} }) }},
	{"no TCB", sgx, "pck_extension", func(w *world) { w.platform(func(p *pki.Platform) { p.Skip = map[int]bool{2: true} }) }},
	{"no PCE-ID", sgx, "pck_extension", func(w *world) { w.platform(func(p *pki.Platform) { p.Skip = map[int]bool{3: true} }) }},
	{"no FMSPC", sgx, "pck_extension", func(w *world) { w.platform(func(p *pki.Platform) { p.Skip = map[int]bool{4: true} }) }},
	{"no SGX type", sgx, "pck_extension", func(w *world) { w.platform(func(p *pki.Platform) { p.Skip = map[int]bool{5: true} }) }},
	{"SGX type 3", sgx, "pck_extension", func(w *world) { w.platform(func(p *pki.Platform) { p.SGXType = 3 }) }},
}

func otherRoot(t *testing.T) []byte {
	a, err := pki.New(pki.Options{Seed: bytes.Repeat([]byte{8}, 32), ID: authority(t).ID(), Now: simNow})
	if err != nil {
		t.Fatal(err)
	}
	return a.RootDER()
}

// clonedFor is the CA's certificate with the leaf's public key, so that crypto/x509 signs with that key.
func clonedFor(w *world) *x509.Certificate {
	x := *w.ca.X
	x.PublicKey = &w.leaf.Key.PublicKey
	return &x
}

var crlFaults = []oneFault{
	{"root list missing", sgx, "crl_format", func(w *world) { w.documents = func(d *pki.Documents) { d.RootCACRL = "" } }},
	{"PCK list missing", sgx, "crl_format", func(w *world) { w.documents = func(d *pki.Documents) { d.PCKCRL = "" } }},
	{"PCK list with a trailing byte", sgx, "crl_format", func(w *world) { w.documents = func(d *pki.Documents) { d.PCKCRL += "00" } }},
	{"odd hex", sgx, "crl_format", func(w *world) { w.documents = func(d *pki.Documents) { d.PCKCRL += "0" } }},
	{"lists exchanged", sgx, "crl_issuer", func(w *world) {
		w.documents = func(d *pki.Documents) { d.PCKCRL, d.RootCACRL = d.RootCACRL, d.PCKCRL }
	}},
	{"root list in place of PCK list", sgx, "crl_issuer", func(w *world) { w.documents = func(d *pki.Documents) { d.PCKCRL = d.RootCACRL } }},
	{"PCK list forged", sgx, "crl_signature", func(w *world) { w.pckCRL.Issuer = forged(w, w.ca) }},
	{"root list forged", sgx, "crl_signature", func(w *world) { w.rootCRL.Issuer = forged(w, w.a.Root) }},
	{"PCK list expired", sgx, "expired", func(w *world) { w.pckCRL.NextUpdate = simNow.Add(-time.Second) }},
	{"root list expired", sgx, "expired", func(w *world) { w.rootCRL.NextUpdate = simNow.Add(-time.Second) }},
	{"PCK list from the future", sgx, "not_yet_valid", func(w *world) { w.pckCRL.ThisUpdate = simNow.Add(time.Second) }},
	{"root list from the future", sgx, "not_yet_valid", func(w *world) { w.rootCRL.ThisUpdate = simNow.Add(time.Second) }},
	{"leaf revoked", sgx, "revoked", func(w *world) { w.pckCRL.Revoked = many(w.leaf.X.SerialNumber) }},
	{"CA revoked", sgx, "revoked", func(w *world) { w.rootCRL.Revoked = many(w.ca.X.SerialNumber) }},
	{"TCB signer revoked", sgx, "revoked", func(w *world) { w.rootCRL.Revoked = many(w.signer.X.SerialNumber) }},
	{"root revoked", sgx, "revoked", func(w *world) { w.rootCRL.Revoked = many(w.a.Root.X.SerialNumber) }},
	{"others revoked", sgx, "UpToDate", func(w *world) { w.pckCRL.Revoked, w.rootCRL.Revoked = many(big.NewInt(3)), many(big.NewInt(4)) }},
}

// many is a list of revoked serials with ours last.
func many(last *big.Int) (out []*big.Int) {
	for i := range 50 {
		out = append(out, big.NewInt(int64(1000+i)))
	}
	return append(out, last)
}

// forged has the issuer's name and another key.
func forged(w *world, issuer *pki.Certificate) *pki.Certificate {
	x := *issuer.X
	key := pki.RandomKey()
	x.PublicKey = &key.PublicKey
	return &pki.Certificate{DER: issuer.DER, X: &x, Key: key}
}

var documentFaults = []oneFault{
	{"TCB chain empty", sgx, "tcb_chain", func(w *world) { w.documents = func(d *pki.Documents) { d.TCBInfoIssuerChain = "" } }},
	{"QE chain empty", sgx, "qeid_chain", func(w *world) { w.documents = func(d *pki.Documents) { d.QEIdentityIssuerChain = "" } }},
	{"TCB chain with a third", sgx, "tcb_chain", func(w *world) {
		w.documents = func(d *pki.Documents) { d.TCBInfoIssuerChain = string(pki.ChainPEM(w.signer, w.a.Root, w.a.Root)) }
	}},
	{"signer under the PCK CA", sgx, "tcb_chain", func(w *world) {
		w.signer = w.mint(w.a.TCBSignerSpec(), func(s *pki.CertSpec) { s.Issuer = w.ca })
	}},
	{"signer minted by the PCK leaf", sgx, "tcb_chain", func(w *world) {
		w.signer = w.mint(w.a.TCBSignerSpec(), func(s *pki.CertSpec) { s.Issuer = w.leaf })
	}},
	{"the PCK leaf signs", sgx, "tcb_signing_cert", func(w *world) { w.signer = w.leaf }},
	{"the PCK CA signs", sgx, "tcb_signing_cert", func(w *world) { w.signer = w.ca }},
	{"signer is a CA", sgx, "tcb_signing_cert", func(w *world) {
		w.signer = w.mint(w.a.TCBSignerSpec(), func(s *pki.CertSpec) { s.CA = true })
	}},
	{"signer expired", sgx, "expired", func(w *world) {
		w.signer = w.mint(w.a.TCBSignerSpec(), func(s *pki.CertSpec) { s.NotAfter = simNow.Add(-time.Second) })
	}},
	{"TCB info signature cut", sgx, "tcbinfo_signature", func(w *world) {
		w.documents = func(d *pki.Documents) { d.TCBInfoSignature = d.TCBInfoSignature[:126] }
	}},
	{"TCB info with white space", sgx, "tcbinfo_signature", func(w *world) {
		w.documents = func(d *pki.Documents) { d.TCBInfo += "\n" }
	}},
	{"QE identity signature of TCB info", sgx, "qeid_signature", func(w *world) {
		w.documents = func(d *pki.Documents) { d.QEIdentitySignature = d.TCBInfoSignature }
	}},
	{"signatures of zeros", sgx, "tcbinfo_signature", func(w *world) {
		w.documents = func(d *pki.Documents) { d.TCBInfoSignature = strings.Repeat("0", 128) }
	}},
	{"TCB info expired", sgx, "expired", func(w *world) { w.info.Next = simNow.Add(-time.Second) }},
	{"TCB info to the second", sgx, "UpToDate", func(w *world) { w.info.Next, w.info.Issued = simNow, simNow }},
	{"TCB info from the future", sgx, "not_yet_valid", func(w *world) { w.info.Issued = simNow.Add(time.Second) }},
	{"QE identity expired", sgx, "expired", func(w *world) { w.identity.Next = simNow.Add(-time.Second) }},
	{"QE identity from the future", sgx, "not_yet_valid", func(w *world) { w.identity.Issued = simNow.Add(time.Second) }},
	{"TCB info of TDX", sgx, "tcbinfo_mismatch", func(w *world) { w.info = w.a.TCBInfo(tdx, w.info.Issued) }},
	{"TCB info of SGX", tdx, "tcbinfo_mismatch", func(w *world) { w.info = w.a.TCBInfo(sgx, w.info.Issued) }},
	{"TCB info version 2 for TDX", tdx, "tcbinfo_mismatch", func(w *world) { w.info = w.a.TCBInfo(sgx, w.info.Issued); w.info.Version = 2 }},
	{"TCB info version 2", sgx, "UpToDate", func(w *world) { w.info.Version = 2 }},
	{"capitals and irrelevant members", tdx, "UpToDate", func(w *world) { w.info.UpperCase, w.info.Extras = true, true }},
	{"FMSPC", sgx, "tcbinfo_mismatch", func(w *world) { w.info.FMSPC[5] ^= 1 }},
	{"PCE-ID", sgx, "tcbinfo_mismatch", func(w *world) { w.info.PCEID[1] ^= 1 }},
	{"QE identity of TDX", sgx, "qeid_mismatch", func(w *world) { w.identity.ID = "TD_QE" }},
	{"QE identity of SGX", tdx, "qeid_mismatch", func(w *world) { w.identity.ID = "QE" }},
	{"QE identity of the QvE", sgx, "qeid_mismatch", func(w *world) { w.identity.ID = "QVE" }},
}

// sorted writes an object anew with all members in alphabetical order, as another server might.
func sorted(text string) string {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(out)
}

var jsonFaults = []oneFault{
	{"members in another order", tdx, "UpToDate", func(w *world) { w.infoText, w.identityText = sorted, sorted }},
	{"members in another order, version 2", sgx, "UpToDate", func(w *world) { w.info.Version = 2; w.infoText, w.identityText = sorted, sorted }},
	{"white space that is signed", tdx, "UpToDate", func(w *world) {
		w.infoText = func(s string) string { return " " + strings.ReplaceAll(s, ",", " ,\n\t") }
	}},
	{"version 4", sgx, "tcbinfo_format", func(w *world) { w.info.Version = 4 }},
	{"version as text", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`"version":3`, `"version":"3"`) }},
	{"version twice", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`"version":3`, `"version":3,"version":3`) }},
	{"unknown member", sgx, "UpToDate", func(w *world) { w.infoText = replace(`"version":3`, `"news":[{"x":-1.5e3}],"version":3`) }},
	{"unknown member twice", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`"version":3`, `"a":1,"a":1,"version":3`) }},
	{"deep", sgx, "tcbinfo_format", func(w *world) {
		w.infoText = replace(`"version":3`, `"a":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,"version":3`)
	}},
	{"id missing", sgx, "tcbinfo_format", func(w *world) { w.infoText = without("id") }},
	{"id unknown", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`"id":"SGX"`, `"id":"sgx"`) }},
	{"issue date missing", sgx, "tcbinfo_format", func(w *world) { w.infoText = without("issueDate") }},
	{"issue date without Z", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`:00Z"`, `:00+00:00"`) }},
	{"issue date impossible", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`2026-06-15T11`, `2026-02-30T11`) }},
	{"tcbType 1", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`"tcbType":0`, `"tcbType":1`) }},
	{"data number missing", sgx, "tcbinfo_format", func(w *world) { w.infoText = without("tcbEvaluationDataNumber") }},
	{"FMSPC short", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`"fmspc":"7e`, `"fmspc":"`) }},
	{"FMSPC not hex", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`"fmspc":"7e`, `"fmspc":"7g`) }},
	{"SVN 256", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`{"svn":3}`, `{"svn":256}`) }},
	{"SVN negative", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`{"svn":3}`, `{"svn":-1}`) }},
	{"SVN a fraction", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`{"svn":3}`, `{"svn":3.0}`) }},
	{"SVN with exponent", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`{"svn":3}`, `{"svn":3e0}`) }},
	{"SVN with leading zero", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`{"svn":3}`, `{"svn":03}`) }},
	{"SVN missing", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`{"svn":3}`, `{}`) }},
	{"15 components", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`{"svn":3},`, ``) }},
	{"17 components", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`{"svn":3},`, `{"svn":3},{"svn":3},`) }},
	{"PCE SVN missing", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`,"pcesvn":13`, ``) }},
	{"no levels", sgx, "tcbinfo_format", func(w *world) { w.info.Levels = nil }},
	{"level twice", sgx, "tcbinfo_format", func(w *world) { w.info.Levels = append(w.info.Levels, w.info.Levels[0]) }},
	{"status unknown", sgx, "tcbinfo_format", func(w *world) { w.info.Levels[1].Status = "Fine" }},
	{"status that is computed", sgx, "tcbinfo_format", func(w *world) { w.info.Levels[1].Status = "TDRelaunchAdvised" }},
	{"advisories no array", sgx, "tcbinfo_format", func(w *world) { w.infoText = replace(`["INTEL-SA-00828"]`, `"INTEL-SA-00828"`) }},
	{"no TDX components", tdx, "tcbinfo_format", func(w *world) { w.infoText = replace(`"tdxtcbcomponents"`, `"tdxcomponents"`) }},
	{"no tdxModule", tdx, "tcbinfo_format", func(w *world) { w.infoText = replace(`"tdxModule"`, `"module"`) }},
	{"tdxModule in SGX", sgx, "tcbinfo_format", func(w *world) {
		w.infoText = replace(`"version":3`, `"tdxModule":{"mrsigner":"`+strings.Repeat("0", 96)+`","attributes":"0000000000000000","attributesMask":"0000000000000000"},"version":3`)
	}},
	{"no module identities in the list", tdx, "tcbinfo_format", func(w *world) {
		w.info.ModuleIdentities = nil
		w.infoText = replace(`"tcbLevels"`, `"tdxModuleIdentities":[],"tcbLevels"`)
	}},
	{"identity not JSON", sgx, "qeid_format", func(w *world) { w.identityText = func(string) string { return "INVALID" } }},
	{"identity version 3", sgx, "qeid_format", func(w *world) { w.identity.Version = 3 }},
	{"identity id unknown", sgx, "qeid_format", func(w *world) { w.identity.ID = "QAE" }},
	{"identity without levels", sgx, "qeid_format", func(w *world) { w.identity.Levels = []pki.SVNLevel{} }},
	{"identity level twice", sgx, "qeid_format", func(w *world) { w.identity.Levels = append(w.identity.Levels, w.identity.Levels[0]) }},
	{"identity level of another status", sgx, "qeid_format", func(w *world) { w.identity.Levels[1].Status = "SWHardeningNeeded" }},
	{"identity mask missing", sgx, "qeid_format", func(w *world) { w.identityText = without("miscselectMask") }},
}

var signatureFaults = []oneFault{
	{"attestation key off the curve", sgx, "qe_report_data", func(w *world) { w.damage = flip(v3Key) }},
	{"QE signature", sgx, "qe_report_signature", func(w *world) { w.damage = flip(v3QESig + 9) }},
	{"QE signature by another platform", sgx, "qe_report_signature", func(w *world) {
		qe, err := pki.NewQE(pki.RandomKey(), attestation, w.qe, w.auth)
		w.must(err)
		w.spec.QE = qe
	}},
	{"QE report", sgx, "qe_report_signature", func(w *world) { w.damage = flip(v3QEReport + 200) }},
	{"QE auth data", sgx, "qe_report_data", func(w *world) { w.damage = flip(v3Auth + 2) }},
	{"quote signature", sgx, "quote_signature", func(w *world) { w.damage = flip(v3Signature + 40) }},
	{"quote signature zero", sgx, "quote_signature", func(w *world) { w.damage = at(v3Signature, make([]byte, 64)...) }},
	{"quote signature r = n", sgx, "quote_signature", func(w *world) { w.damage = at(v3Signature, order...) }},
	{"header", sgx, "quote_signature", func(w *world) { w.damage = flip(40) }},
	{"report data", tdx, "quote_signature", func(w *world) { w.damage = flip(620) }},
	{"RTMR3", tdx, "quote_signature", func(w *world) { w.damage = flip(540) }},
	{"signed without the descriptor", tdx, "quote_signature", func(w *world) { w.spec.Version = 5; w.damage = resignWithout(48, 6) }},
	{"QE MRSIGNER", sgx, "qeid_mismatch", func(w *world) { w.qe.MRSigner[0] ^= 1 }},
	{"QE ISVPRODID", sgx, "qeid_mismatch", func(w *world) { w.qe.ProdID++ }},
	{"QE MISCSELECT", sgx, "qeid_mismatch", func(w *world) { w.qe.MiscSelect[0] = 1 }},
	{"QE ATTRIBUTES", sgx, "qeid_mismatch", func(w *world) { w.qe.Attributes[0] |= 0x80 }},
	{"QE debug", sgx, "qeid_mismatch", func(w *world) { w.qe.Attributes[0] |= 2 }},
	{"QE debug outside the mask", sgx, "qeid_mismatch", func(w *world) { w.qe.Attributes[0] |= 2; w.identity.AttributesMask[0] &^= 2 }},
	{"identity bits outside its mask", sgx, "qeid_mismatch", func(w *world) { w.identity.Attributes[0] |= 4 }},
	{"QE MISCSELECT outside the mask", sgx, "UpToDate", func(w *world) { w.qe.MiscSelect[3] = 1; w.identity.MiscMask[3] = 0 }},
	{"upper half of QE report data", sgx, "UpToDate", func(w *world) { w.qe.ReportData[63] = 1 }},
	{"no auth data", sgx, "UpToDate", func(w *world) { w.auth = nil }},
	{"long auth data", tdx, "UpToDate", func(w *world) { w.auth = make([]byte, 5000) }},
}

// order is n of P-256, big-endian.
var order, _ = hex.DecodeString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")

// resignWithout signs a quote's signed range with n bytes left out.
func resignWithout(offset, n int) func([]byte) []byte {
	return func(q []byte) []byte {
		end := 48 + 6 + 584
		signature, err := pki.Sign(attestation, append(bytes.Clone(q[:offset]), q[offset+n:end]...))
		if err != nil {
			panic(err)
		}
		copy(q[end+4:], signature[:])
		return q
	}
}

func TestOneFaultEach(t *testing.T) {
	for _, group := range [][]oneFault{formatFaults, chainFaults, crlFaults, documentFaults, jsonFaults, signatureFaults, tcbFaults()} {
		for _, f := range group {
			t.Run(f.name, func(t *testing.T) {
				w := newWorld(t, f.tee)
				f.do(w)
				f.judge(t, w.verify())
			})
		}
	}
}

func (f oneFault) judge(t *testing.T, r *dcap.Report) {
	t.Helper()
	if status, ok := dcap.ParseStatus(f.want); ok {
		if r.Status != status || r.Accepted != (status == dcap.UpToDate) {
			t.Errorf("status %q, accepted %v, class %q; want %s\n%s", r.Status, r.Accepted, r.Class, f.want, failures(r))
		}
		return
	}
	if r.Accepted || r.Status != dcap.StatusNone || r.Launch != nil || r.Advisories != nil {
		t.Errorf("status %q, accepted %v, launch %v; want a refusal and no word on the TCB", r.Status, r.Accepted, r.Launch)
	}
	if string(r.Class) != f.want {
		t.Errorf("class %q, want %q\n%s", r.Class, f.want, failures(r))
	}
}
