package guestapi_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/guestapi"
)

// TestRATLSCertificate: profile and binding of facts/dstack.md sections 6.1 and 6.2.
func TestRATLSCertificate(t *testing.T) {
	s, _ := newServer(t, guestapi.AllowEverything())
	_, got := post(t, s, "/GetTlsKey", `{"subject":"s","alt_names":["x.com","127.0.0.1"],"usage_ra_tls":true,"usage_server_auth":true,"with_app_info":true}`)
	chain := got["certificate_chain"].([]any)
	leaf, ca := certificate(t, chain[0]), certificate(t, chain[1])
	must(t, leaf.CheckSignatureFrom(ca))
	if leaf.Subject.CommonName != "s" || leaf.DNSNames[0] != "x.com" || leaf.IPAddresses[0].String() != "127.0.0.1" || leaf.NotBefore.Year() != 1975 ||
		leaf.NotAfter.Before(time.Now().AddDate(9, 0, 0)) || leaf.KeyUsage != x509.KeyUsageDigitalSignature || len(leaf.ExtKeyUsage) != 1 {
		t.Errorf("leaf %+v", leaf)
	}
	block, _ := pem.Decode([]byte(got["key"].(string)))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	must(t, err)
	if !key.(*ecdsa.PrivateKey).PublicKey.Equal(leaf.PublicKey) {
		t.Error("key and certificate differ")
	}
	content := map[int][]byte{}
	for _, e := range leaf.Extensions {
		if strings.HasPrefix(e.Id.String(), "1.3.6.1.4.1.62397.1.") {
			var inner []byte
			rest, err := asn1.Unmarshal(e.Value, &inner)
			if err != nil || len(rest) > 0 || e.Critical {
				t.Errorf("extension %v is not an octet string in an octet string", e.Id)
			}
			content[e.Id[len(e.Id)-1]] = inner
		}
	}
	want := sha512.Sum512(append([]byte("ratls-cert:"), leaf.RawSubjectPublicKeyInfo...))
	if !bytes.Equal(content[1][568:632], want[:]) {
		t.Error("the quote does not bind the key")
	}
	if string(content[4]) != "app:custom" || len(content[3]) != 20 || content[8][0] != 0 || !bytes.Contains(content[2], []byte("boot-mr-done")) || content[9][0] != 0x98 {
		t.Errorf("extensions %x", content)
	}
	if code, got := post(t, s, "/GetTlsKey", `{"not_before":200,"not_after":100}`); code != 400 || !strings.Contains(got["error"].(string), "not_before") {
		t.Errorf("%d %v", code, got)
	}
	_, again := post(t, s, "/GetTlsKey", `{"subject":"s"}`)
	if again["key"] == got["key"] {
		t.Error("GetTlsKey gave the same key twice")
	}
}

func certificate(t *testing.T, text any) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(text.(string)))
	cert, err := x509.ParseCertificate(block.Bytes)
	must(t, err)
	return cert
}

func TestDeriveKeyRandomSeed(t *testing.T) {
	s, _ := newServer(t, guestapi.AllowEverything())
	_, a := post(t, s, "/prpc/Tappd.DeriveKey", `{"path":"p","random_seed":true}`)
	_, b := post(t, s, "/prpc/Tappd.DeriveKey", `{"path":"p","random_seed":true}`)
	_, c := post(t, s, "/prpc/Tappd.DeriveKey", `{"path":"p"}`)
	_, d := post(t, s, "/prpc/DeriveKey", `{"path":"p","subject":"other"}`)
	if a["key"] == b["key"] || c["key"] != d["key"] || a["key"] == c["key"] {
		t.Error("random_seed is random, everything else comes from the path alone")
	}
}
