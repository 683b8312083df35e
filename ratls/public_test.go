package ratls

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
)

// authority is as much of an ACME server (RFC 8555) as one order needs. It does not check the account's signatures; it
// does make the tls-alpn-01 connection (RFC 8737) to where the test says the name lies.
type authority struct {
	t        *testing.T
	url      string
	target   string // address of the server under test
	key      *ecdsa.PrivateKey
	mu       sync.Mutex
	verified bool
	cert     []byte
	other    bool // issue over a key of its own
}

func newAuthority(t *testing.T, target string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t: t, target: target, key: key}
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	a.url = srv.URL
	return a
}

func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Replay-Nonce", base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprint(time.Now().UnixNano()))))
	var jws struct {
		Payload string `json:"payload"`
	}
	_ = json.NewDecoder(r.Body).Decode(&jws) // the directory has no body
	payload, _ := base64.RawURLEncoding.DecodeString(jws.Payload)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch r.URL.Path {
	case "/dir":
		a.answer(w, 200, map[string]string{"newNonce": a.url + "/nonce", "newAccount": a.url + "/account", "newOrder": a.url + "/order"})
	case "/nonce":
	case "/account":
		w.Header().Set("Location", a.url+"/account/1")
		a.answer(w, 201, map[string]string{"status": "valid"})
	case "/order":
		w.Header().Set("Location", a.url+"/order/1")
		a.answer(w, 201, a.order())
	case "/order/1":
		a.answer(w, 200, a.order())
	case "/authz":
		a.answer(w, 200, a.authz())
	case "/challenge":
		a.verified = a.dial()
		a.answer(w, 200, a.authz()["challenges"].([]any)[0])
	case "/finalize":
		a.issue(payload)
		w.Header().Set("Location", a.url+"/order/1")
		a.answer(w, 200, a.order())
	case "/cert":
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		_ = pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: a.cert})
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (a *authority) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (a *authority) status() string {
	if a.verified {
		return "valid"
	}
	return "pending"
}

func (a *authority) order() map[string]any {
	status := map[bool]string{true: "ready", false: "pending"}[a.verified]
	o := map[string]any{"identifiers": []any{map[string]string{"type": "dns", "value": "agent.example"}}, "authorizations": []string{a.url + "/authz"}, "finalize": a.url + "/finalize"}
	if a.cert != nil {
		status = "valid"
		o["certificate"] = a.url + "/cert"
	}
	o["status"] = status
	return o
}

func (a *authority) authz() map[string]any {
	return map[string]any{
		"status": a.status(), "identifier": map[string]string{"type": "dns", "value": "agent.example"},
		"challenges": []any{map[string]string{"type": "tls-alpn-01", "url": a.url + "/challenge", "token": "token", "status": a.status()}},
	}
}

// dial makes the challenge connection and looks for the acmeIdentifier extension.
func (a *authority) dial() bool {
	c, err := tls.Dial("tcp", a.target, &tls.Config{ServerName: "agent.example", NextProtos: []string{acme.ALPNProto}, InsecureSkipVerify: true}) //nolint:gosec // RFC 8737: the certificate is self-signed
	if err != nil {
		return false
	}
	defer c.Close()
	leaf := c.ConnectionState().PeerCertificates[0]
	for _, e := range leaf.Extensions {
		if e.Id.String() == "1.3.6.1.5.5.7.1.31" && e.Critical {
			return c.ConnectionState().NegotiatedProtocol == acme.ALPNProto
		}
	}
	return false
}

func (a *authority) issue(payload []byte) {
	var req struct {
		CSR string `json:"csr"`
	}
	_ = json.Unmarshal(payload, &req)
	der, _ := base64.RawURLEncoding.DecodeString(req.CSR)
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil || csr.CheckSignature() != nil {
		a.t.Errorf("bad request for a certificate: %v", err)
		return
	}
	public := csr.PublicKey
	if a.other {
		public = a.key.Public()
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, DNSNames: csr.DNSNames, NotBefore: time.Now(), NotAfter: time.Now().AddDate(0, 3, 0)}
	if a.cert, err = x509.CreateCertificate(rand.Reader, template, template, public, a.key); err != nil {
		a.t.Error(err)
	}
}

func newPublic(t *testing.T) (*Public, string, []byte) {
	t.Helper()
	key, spki, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	own, err := Certificate(t.Context(), key, []string{"agent.example"}, nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	p := &Public{Key: key, Own: own, Names: []string{"agent.example"}, Logger: slog.New(slog.DiscardHandler)}
	addr := serveTLS(t, p.Config(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	return p, addr, spki
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func shownTo(t *testing.T, addr, name string) *x509.Certificate {
	t.Helper()
	d := &tls.Dialer{NetDialer: &net.Dialer{}, Config: &tls.Config{ServerName: name, InsecureSkipVerify: true}} //nolint:gosec // the test looks at the certificate itself
	c, err := d.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.(*tls.Conn).ConnectionState().PeerCertificates[0]
}

func TestPublicCertificateIsOverTheAttestedKey(t *testing.T) {
	p, addr, spki := newPublic(t)
	p.Directory = newAuthority(t, addr).url + "/dir"
	if c := shownTo(t, addr, "agent.example"); c.Issuer.CommonName != "Teapot" {
		t.Fatalf("before: issued by %q", c.Issuer.CommonName)
	}
	if err := p.Obtain(soon(t)); err != nil {
		t.Fatal(err)
	}
	c := shownTo(t, addr, "agent.example")
	if c.Subject.CommonName != "test authority" || string(PublicKey(c)) != string(spki) {
		t.Fatalf("after: %q over another key than the boot statement's", c.Subject.CommonName)
	}
	if string(p.Leaf(&tls.ConnectionState{ServerName: "agent.example"})) != string(c.Raw) {
		t.Fatal("the session would name another leaf than was shown")
	}
	if c := shownTo(t, addr, "10-0-0-1.example"); c.Subject.CommonName != "Teapot" {
		t.Fatal("another name got the public certificate")
	}
	if wait := p.untilRenewal(time.Now()); wait < 55*24*time.Hour || wait > 65*24*time.Hour {
		t.Fatalf("renewal in %v", wait)
	}
}

func TestPublicCertificateOverAnotherKeyIsRefused(t *testing.T) {
	p, addr, _ := newPublic(t)
	a := newAuthority(t, addr)
	a.other = true
	p.Directory = a.url + "/dir"
	if err := p.Obtain(soon(t)); err == nil || !strings.Contains(err.Error(), "another key") {
		t.Fatalf("got %v", err)
	}
	if c := shownTo(t, addr, "agent.example"); c.Subject.CommonName != "Teapot" {
		t.Fatal("a certificate over a foreign key went into service")
	}
}
