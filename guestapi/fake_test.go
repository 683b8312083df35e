package guestapi_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/guestapi"
)

// exampleRoot is the app root of dstack's own documents.
const exampleRoot = "1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a2b"

// guest is an Attester whose quotes have the layout of a TDX quote and no signature; it keeps what it was asked to quote.
type guest struct {
	mu     sync.Mutex
	quoted [][64]byte
	events []string
}

func (g *guest) Platform() string          { return "simulator" }
func (g *guest) Custody() evidence.Custody { return evidence.PublicSeed }
func (g *guest) Derivation() string        { return "test" }
func (g *guest) Close() error              { return nil }

func (g *guest) Quote(_ context.Context, reportData [64]byte) (attest.Quote, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.quoted = append(g.quoted, reportData)
	raw := make([]byte, 5006)
	raw[0], raw[2], raw[4] = 4, 2, 0x81
	copy(raw[568:], reportData[:])
	log := `[{"imr":3,"event_type":134217729,"digest":"","event":"boot-mr-done","event_payload":""}]`
	return attest.Quote{Raw: raw, EventLog: json.RawMessage(log)}, nil
}

func (g *guest) Info(context.Context) (attest.Info, error) {
	return attest.Info{
		AppID: strings.Repeat("ab", 20), InstanceID: strings.Repeat("cd", 20), AppName: "teapot – démo 茶",
		AppCompose: []byte(`{"name":"teapot – démo 茶","public_tcbinfo":true}`), ComposeHash: strings.Repeat("01", 32),
		VMConfig: `{"cpu_count":1}`, KeyProvider: `{"name":"none","id":""}`, Simulated: true,
	}, nil
}

func (g *guest) Key(context.Context, string) (attest.Key, error) { return attest.Key{}, nil }

func (g *guest) EmitEvent(_ context.Context, name string, _ []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.events = append(g.events, name)
	return nil
}

func newRoot(t testing.TB, root string) *guestapi.Root {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	r, err := guestapi.NewRoot([32]byte(unhex(t, root)), nil, guestapi.CA{Key: key, Certificate: der})
	must(t, err)
	return r
}

func newServer(t testing.TB, p guestapi.Policy) (*guestapi.Server, *guest) {
	t.Helper()
	g := &guest{}
	s, err := guestapi.New(guestapi.Options{Attester: g, Keys: newRoot(t, exampleRoot), Policy: p, Reserved: []string{"wallet/in/use"}})
	must(t, err)
	return s, g
}

// post is a JSON call in process.
func post(t testing.TB, h http.Handler, path, body string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	raw, err := io.ReadAll(w.Body)
	must(t, err)
	var out map[string]any
	must(t, json.Unmarshal(raw, &out))
	return w.Code, out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	must(t, err)
	return raw
}

func reportDataOf(t testing.TB, quote any) []byte {
	t.Helper()
	text, _ := quote.(string)
	raw := unhex(t, text)
	if len(raw) < 632 {
		t.Fatalf("quote of %d bytes", len(raw))
	}
	return bytes.Clone(raw[568:632])
}
