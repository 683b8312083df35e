package pki_test

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim/pki"
)

var now = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

func authority(t testing.TB) *pki.Authority {
	t.Helper()
	a, err := pki.New(pki.Options{Seed: bytes.Repeat([]byte{7}, 32), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestChainVerifiesWithTheStandardLibrary(t *testing.T) {
	a := authority(t)
	roots, middle := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(a.Root.X)
	middle.AddCert(a.PlatformCA.X)
	for _, leaf := range []*pki.Certificate{a.PCK, a.TCBSigner} {
		leaf.X.UnhandledCriticalExtensions = nil
		opts := x509.VerifyOptions{Roots: roots, Intermediates: middle, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
		if _, err := leaf.X.Verify(opts); err != nil {
			t.Errorf("%s: %v", leaf.X.Subject.CommonName, err)
		}
	}
	if n := len(a.PCK.X.Extensions); n != 6 {
		t.Errorf("PCK leaf has %d extensions, independent verifiers insist on 6", n)
	}
	if len(a.Root.X.CRLDistributionPoints) != 1 {
		t.Error("root has no CRL distribution point")
	}
	if org := a.PCK.X.Subject.Organization[0]; !strings.HasPrefix(org, "Teapot SIMULATED ") {
		t.Errorf("organisation %q", org)
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	a, b := authority(t), authority(t)
	for i, make := range []func(a *pki.Authority) ([]byte, error){
		func(a *pki.Authority) ([]byte, error) { return a.RootDER(), nil },
		func(a *pki.Authority) ([]byte, error) { return a.QuoteTDX(pki.TDReport{}) },
		func(a *pki.Authority) ([]byte, error) { return a.QuoteSGX(pki.EnclaveReport{}) },
		func(a *pki.Authority) ([]byte, error) { return a.Collateral(pki.TDX, now) },
	} {
		x, errX := make(a)
		y, errY := make(b)
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			t.Errorf("output %d differs (%v, %v)", i, errX, errY)
		}
	}
}

func TestPersisted(t *testing.T) {
	a := authority(t)
	saved, err := a.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	b, err := pki.Load(saved)
	if err != nil {
		t.Fatal(err)
	}
	x, _ := a.QuoteTDX(pki.TDReport{})
	y, _ := b.QuoteTDX(pki.TDReport{})
	if !bytes.Equal(a.RootDER(), b.RootDER()) || !bytes.Equal(x, y) {
		t.Error("a loaded authority signs differently")
	}
	if _, err := pki.Load(bytes.Replace(saved, []byte(`"seed":"B`), []byte(`"seed":"C`), 1)); err == nil {
		t.Error("a seed that does not fit the certificates was accepted")
	}
}

func TestRenewalKeepsKeysAndMovesWindows(t *testing.T) {
	a := authority(t)
	var first, second pki.Documents
	for at, d := range map[time.Time]*pki.Documents{now: &first, now.AddDate(0, 2, 0): &second} {
		raw, err := a.Collateral(pki.SGX, at)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, d); err != nil {
			t.Fatal(err)
		}
	}
	if first.TCBInfoIssuerChain != second.TCBInfoIssuerChain {
		t.Error("renewal changed the signer")
	}
	x, y := crl(t, first.PCKCRL), crl(t, second.PCKCRL)
	if x.Number.Cmp(y.Number) >= 0 || !y.NextUpdate.After(x.NextUpdate) {
		t.Error("renewal does not move the revocation list forward")
	}
	if err := y.CheckSignatureFrom(a.PlatformCA.X); err != nil {
		t.Error(err)
	}
}

func crl(t *testing.T, text string) *x509.RevocationList {
	t.Helper()
	der, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestQuoteSaysSimulated(t *testing.T) {
	q, err := authority(t).QuoteSGX(pki.EnclaveReport{})
	if err != nil {
		t.Fatal(err)
	}
	if string(q[28:44]) != pki.UserData {
		t.Errorf("user data %q", q[28:44])
	}
	if q[len(q)-1] != 0 {
		t.Error("the chain does not end in NUL as real ones do")
	}
	if b, _ := pem.Decode(q[bytes.Index(q, []byte("-----BEGIN")):]); b == nil {
		t.Error("no certificate in the quote")
	}
}

func BenchmarkQuoteTDX(b *testing.B) {
	a := authority(b)
	for b.Loop() {
		if _, err := a.QuoteTDX(pki.TDReport{}); err != nil {
			b.Fatal(err)
		}
	}
}
