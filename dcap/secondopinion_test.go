package dcap

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSecondOpinion reads every certificate and revocation list of the corpus with crypto/x509 as well: what this
// package accepts, it reads the same.
func TestSecondOpinion(t *testing.T) {
	shared := os.Getenv("TEAPOT_SHARED")
	if shared == "" {
		shared = "../../shared"
	}
	dirs, _ := filepath.Glob(filepath.Join(shared, "corpus", "dcap", "*", "*"))
	if len(dirs) == 0 {
		t.Skip("no corpus: set TEAPOT_SHARED")
	}
	certificates, lists := map[string]bool{}, map[string]bool{}
	for _, dir := range dirs {
		quote, err := os.ReadFile(filepath.Join(dir, "quote.bin"))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, "collateral.json"))
		if err != nil {
			t.Fatal(err)
		}
		var parts map[string]string
		if err := json.Unmarshal(raw, &parts); err != nil {
			t.Fatal(err)
		}
		for _, chain := range []string{string(quote), parts["tcb_info_issuer_chain"], parts["pck_crl_issuer_chain"], parts["pck_certificate_chain"]} {
			for rest := []byte(chain[max(strings.Index(chain, "-----BEGIN"), 0):]); ; {
				var block *pem.Block
				if block, rest = pem.Decode(rest); block == nil {
					break
				}
				certificates[string(block.Bytes)] = true
			}
		}
		lists[parts["pck_crl"]], lists[parts["root_ca_crl"]] = true, true
	}
	for der := range certificates {
		compareCertificate(t, []byte(der))
	}
	for text := range lists {
		compareList(t, text)
	}
	if len(certificates) < 50 || len(lists) < 50 {
		t.Errorf("only %d certificates and %d lists", len(certificates), len(lists))
	}
}

func compareCertificate(t *testing.T, der []byte) {
	ours, ok := parseCertificate(der)
	theirs, err := x509.ParseCertificate(der)
	if ok != (err == nil) {
		t.Errorf("we read it: %v, crypto/x509: %v", ok, err)
	}
	if !ok || err != nil {
		return
	}
	key, isECDSA := theirs.PublicKey.(*ecdsa.PublicKey)
	if !isECDSA || !key.Equal(ours.key) || !bytes.Equal(theirs.SerialNumber.Bytes(), ours.serial) ||
		theirs.NotBefore.Unix() != ours.notBefore || theirs.NotAfter.Unix() != ours.notAfter ||
		theirs.Subject.CommonName != ours.cn || theirs.IsCA != ours.ca ||
		!bytes.Equal(theirs.RawTBSCertificate, ours.tbs) || !bytes.Equal(theirs.RawIssuer, ours.issuer) ||
		!bytes.Equal(theirs.RawSubject, ours.subject) || !bytes.Equal(theirs.RawSubjectPublicKeyInfo, ours.spki) ||
		(theirs.KeyUsage&x509.KeyUsageCertSign != 0) != (ours.keyUsage&0x04 != 0) ||
		(theirs.KeyUsage&x509.KeyUsageDigitalSignature != 0) != (ours.keyUsage&0x80 != 0) {
		t.Errorf("%s: read differently", theirs.Subject)
	}
}

func compareList(t *testing.T, text string) {
	ours, ok := parseCRL(text)
	der, decoded := decodeCRL(text)
	theirs, err := x509.ParseRevocationList(der)
	if ok != (decoded && err == nil) {
		t.Errorf("we read it: %v, crypto/x509: %v", ok, err)
	}
	if !ok || err != nil {
		return
	}
	same := bytes.Equal(theirs.Number.Bytes(), bytes.TrimLeft(ours.number, "\x00")) && theirs.ThisUpdate.Unix() == ours.thisUpdate &&
		theirs.NextUpdate.Unix() == ours.nextUpdate && bytes.Equal(theirs.RawIssuer, ours.issuer) && len(theirs.RevokedCertificateEntries) == len(ours.revoked)
	for i := range theirs.RevokedCertificateEntries {
		same = same && bytes.Equal(theirs.RevokedCertificateEntries[i].SerialNumber.Bytes(), ours.revoked[i])
	}
	if !same {
		t.Errorf("list of %s read differently", theirs.Issuer)
	}
}
