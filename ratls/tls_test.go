package ratls

import (
	"bytes"
	"context"
	"crypto/sha512"
	"crypto/tls"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/evidence"
)

func certificate(t *testing.T, quoter Quoter) (tls.Certificate, []byte) {
	t.Helper()
	key, spki, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := Certificate(context.Background(), key, []string{"localhost", "127.0.0.1"}, quoter, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return cert, spki
}

// echoProver puts what the server saw where the test can read it.
type echoProver struct{ seen chan evidence.Channel }

func (p echoProver) Session(_ context.Context, _ []byte, c evidence.Channel) ([]byte, error) {
	p.seen <- c
	return []byte("{}"), nil
}

func serveTLS(t *testing.T, cfg *tls.Config, h http.Handler) string {
	t.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	return ln.Addr().String()
}

// relay ends TLS with the same certificate and key and speaks to the real server over a connection of its own.
func relay(t *testing.T, cert tls.Certificate, upstream string) string {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the attacker does not care
	t.Cleanup(transport.CloseIdleConnections)
	return serveTLS(t, ServerConfig(cert), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, _ := http.NewRequestWithContext(r.Context(), r.Method, "https://"+upstream+r.URL.Path, r.Body)
		resp, err := transport.RoundTrip(out)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
}

func askSession(t *testing.T, addr string, accept Accept, nonce []byte) evidence.Channel {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: ClientConfig(accept), ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	body := `{"nonce":"` + evidence.Digest(nonce).String() + `","channel":"tls"}`
	resp, err := (&http.Client{Transport: transport}).Post("https://"+addr+"/v1/session", "application/json", bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("status %d: %s", resp.StatusCode, text)
	}
	c, err := ClientChannel(resp.TLS, nonce)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBothEndsOfAConnectionSeeOneChannel(t *testing.T) {
	cert, spki := certificate(t, nil)
	prover := echoProver{make(chan evidence.Channel, 1)}
	addr := serveTLS(t, ServerConfig(cert), &SessionHandler{Prover: prover, Leaf: func(*tls.ConnectionState) []byte { return cert.Certificate[0] }})
	nonce := bytes.Repeat([]byte{7}, 32)
	mine, theirs := askSession(t, addr, Keys(spki), nonce), <-prover.seen
	if !bytes.Equal(mine.Exporter, theirs.Exporter) || !bytes.Equal(mine.Leaf, theirs.Leaf) || len(mine.Exporter) != 32 {
		t.Fatalf("client saw %+v, server %+v", mine, theirs)
	}
	again := askSession(t, addr, Keys(spki), nonce)
	if other := <-prover.seen; bytes.Equal(again.Exporter, mine.Exporter) || !bytes.Equal(other.Exporter, again.Exporter) {
		t.Fatal("two connections share an exporter")
	}
}

func TestRelayWithCopiedCertificateAndKeyHasAnotherChannel(t *testing.T) {
	cert, spki := certificate(t, nil)
	prover := echoProver{make(chan evidence.Channel, 1)}
	addr := serveTLS(t, ServerConfig(cert), &SessionHandler{Prover: prover, Leaf: func(*tls.ConnectionState) []byte { return cert.Certificate[0] }})
	mine := askSession(t, relay(t, cert, addr), Keys(spki), bytes.Repeat([]byte{7}, 32))
	theirs := <-prover.seen
	if !bytes.Equal(mine.Leaf, theirs.Leaf) {
		t.Fatal("the relay should show the very same certificate")
	}
	if bytes.Equal(mine.Exporter, theirs.Exporter) {
		t.Fatal("a relay with the stolen key went unnoticed")
	}
}

func TestPeersAreAcceptedOnlyByAttestedKey(t *testing.T) {
	server, serverKey := certificate(t, nil)
	client, clientKey := certificate(t, nil)
	stranger, strangerKey := certificate(t, func(context.Context, [64]byte) ([]byte, error) { return []byte("a fine quote"), nil })
	addr := serveTLS(t, MutualServerConfig(server, Keys(clientKey)), http.NotFoundHandler())
	for _, c := range []struct {
		name string
		cfg  *tls.Config
		ok   bool
	}{
		{"both known", MutualClientConfig(client, Keys(serverKey)), true},
		{"unknown server", MutualClientConfig(client, Keys(strangerKey)), false},
		{"no accept", MutualClientConfig(client, nil), false},
		{"unknown client with RA-TLS evidence", MutualClientConfig(stranger, Keys(serverKey)), false},
		{"no client certificate", ClientConfig(Keys(serverKey)), false},
		{"TLS 1.2", &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, Certificates: []tls.Certificate{client}}, false}, //nolint:gosec // the server must refuse
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := exchange(addr, c.cfg); (err == nil) != c.ok {
				t.Fatalf("got %v, want success %v", err, c.ok)
			}
		})
	}
}

// exchange makes a connection and reads one answer, since TLS 1.3 tells a client late that it was refused.
func exchange(addr string, cfg *tls.Config) error {
	transport := &http.Transport{TLSClientConfig: cfg}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport, Timeout: 5 * time.Second}).Get("https://" + addr + "/")
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func TestEmptyKeyMatchesNobody(t *testing.T) {
	if Keys(nil)(nil) || Keys([]byte{})([]byte{}) || Keys()([]byte("x")) {
		t.Fatal("an absent TLS key accepted a peer")
	}
}

func TestInteropEvidenceRoundTrip(t *testing.T) {
	var asked [64]byte
	quote := bytes.Repeat([]byte{0xab}, 5006)
	cert, spki := certificate(t, func(_ context.Context, rd [64]byte) ([]byte, error) { asked = rd; return quote, nil })
	got, claims, err := CertificateEvidence(cert.Leaf)
	if err != nil || !bytes.Equal(got, quote) {
		t.Fatalf("quote lost: %v", err)
	}
	if ClaimsReportData(claims) != asked || !bytes.Equal(claims, Claims(spki)) {
		t.Fatal("claims and report data disagree")
	}
	for i := range claims {
		bad := bytes.Clone(claims)
		bad[i] ^= 1
		if checkClaims(bad, spki) == nil {
			t.Fatalf("claims with byte %d flipped were accepted", i)
		}
	}
	if checkClaims(claims[:len(claims)-1], spki) == nil || checkClaims(append(bytes.Clone(claims), 0), spki) == nil {
		t.Fatal("cut or lengthened claims were accepted")
	}
}

// The bytes of docs/formats/ratls.md.
func TestInteropVector(t *testing.T) {
	claims := Claims([]byte("spki"))
	sum := sha512.Sum384([]byte("spki"))
	if want := "\xa1\x6bpubkey-hash\x58\x34\x82\x07\x58\x30" + string(sum[:]); string(claims) != want {
		t.Fatalf("claims %x, want %x", claims, want)
	}
	tagged := TaggedEvidence([]byte{1, 2, 3}, []byte{4})
	if !bytes.Equal(tagged, []byte{0xd9, 0xea, 0x60, 0x82, 0x43, 1, 2, 3, 0x41, 4}) {
		t.Fatalf("tagged evidence %x", tagged)
	}
}

func FuzzCertificateEvidence(f *testing.F) {
	f.Add(TaggedEvidence([]byte("quote"), Claims([]byte("spki"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		quote, claims, err := parseTagged(b)
		if err == nil && !bytes.Equal(TaggedEvidence(quote, claims), b) {
			t.Fatalf("two encodings of one evidence: %x", b)
		}
	})
}

func TestContentAddressedNames(t *testing.T) {
	h := ContentAddressed("agents.example", "B141bafc", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for host, want := range map[string]int{
		"b141bafc.agents.example": 204, "B141BAFC.agents.example.:8443": 204, "127.0.0.1:3000": 204, "agents.example": 204,
		"ea549f02.agents.example": 421, "x.b141bafc.agents.example": 421,
	} {
		w := &statusOnly{header: http.Header{}}
		h.ServeHTTP(w, &http.Request{Method: "GET", Host: host})
		if w.status != want {
			t.Errorf("%s: status %d, want %d", host, w.status, want)
		}
	}
}

type statusOnly struct {
	header http.Header
	status int
}

func (w *statusOnly) Header() http.Header         { return w.header }
func (w *statusOnly) Write(p []byte) (int, error) { return len(p), nil }
func (w *statusOnly) WriteHeader(s int)           { w.status = s }

func TestBudgetRefillsWithTimeOnly(t *testing.T) {
	b, now := &Budget{Burst: 2, Refill: time.Second}, time.Unix(1000, 0)
	for i, want := range []bool{true, true, false} {
		if got := b.Take(now) == 0; got != want {
			t.Fatalf("token %d: %v", i, got)
		}
	}
	if b.Take(now.Add(-time.Hour)) == 0 {
		t.Fatal("time that went backwards refilled the budget")
	}
	if b.Take(now.Add(time.Second)) != 0 {
		t.Fatal("no token after a second")
	}
	if (&Budget{}).Take(now) == 0 {
		t.Fatal("the zero budget gave a quote")
	}
}
