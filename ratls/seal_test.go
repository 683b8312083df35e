package ratls

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/evidence"
)

// sealedEcho answers what it was sent, in pieces, and says which channel it saw.
func sealedEcho(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if c, ok := SealedChannel(r.Context()); ok {
		w.Header().Set("X-Channel", c.Kind)
	}
	for i := range body {
		if i%1000 == 0 {
			_, _ = w.Write(body[i:min(i+1000, len(body))])
		}
	}
}

func sealedServer(t *testing.T) (*httptest.Server, *SealKeys, *Sealer) {
	t.Helper()
	keys, err := NewSealKeys()
	if err != nil {
		t.Fatal(err)
	}
	s := NewSealer(keys)
	mux := http.NewServeMux()
	mux.Handle("GET "+KeysPath, s.KeysHandler())
	mux.HandleFunc("/echo", sealedEcho)
	srv := httptest.NewServer(s.Middleware(mux))
	t.Cleanup(srv.Close)
	return srv, keys, s
}

func TestSealedRoundTripInBothSuites(t *testing.T) {
	srv, keys, _ := sealedServer(t)
	for _, key := range keys.Public() {
		for _, n := range []int{1, 1000, 300_000} {
			want := bytes.Repeat([]byte("tea"), n)
			resp, err := (&http.Client{Transport: &SealedTransport{Key: key}}).Post(srv.URL+"/echo?x=1", "text/plain", bytes.NewReader(want))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			if err != nil || !bytes.Equal(got, want) || resp.Header.Get("X-Channel") != evidence.ChannelHPKE {
				t.Fatalf("key %d, %d bytes: %d came back, %v", key.ID, len(want), len(got), err)
			}
			_ = resp.Body.Close()
		}
	}
}

func TestSealedRequestWithoutBodyIsRefusedBeforeItIsSent(t *testing.T) {
	srv, keys, _ := sealedServer(t)
	if _, err := (&http.Client{Transport: &SealedTransport{Key: keys.Public()[0]}}).Get(srv.URL + "/echo"); err == nil {
		t.Fatal("a request that cannot be sealed was sent open")
	}
}

// record keeps what passes, as the network does.
type record struct{ sent []*http.Request }

func (r *record) RoundTrip(req *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(req.Body)
	kept := req.Clone(req.Context())
	kept.Body = io.NopCloser(bytes.NewReader(body))
	kept.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.sent = append(r.sent, kept)
	req.Body = io.NopCloser(bytes.NewReader(body))
	return http.DefaultTransport.RoundTrip(req)
}

func sealOne(t *testing.T, url string, key evidence.HPKEKey) *http.Request {
	t.Helper()
	rec := &record{}
	resp, err := (&http.Client{Transport: &SealedTransport{Key: key, Base: rec}}).Post(url, "text/plain", strings.NewReader("pay alice"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return rec.sent[0]
}

func again(t *testing.T, r *http.Request, change func(*http.Request)) int {
	t.Helper()
	c := r.Clone(r.Context())
	c.Body, _ = r.GetBody()
	if change != nil {
		change(c)
	}
	resp, err := http.DefaultTransport.RoundTrip(c)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func TestRepeatedSealedRequestIsRefused(t *testing.T) {
	srv, keys, _ := sealedServer(t)
	for _, key := range keys.Public() {
		if got := again(t, sealOne(t, srv.URL+"/echo", key), nil); got != http.StatusConflict {
			t.Fatalf("key %d: a repeat got status %d", key.ID, got)
		}
	}
}

func TestOwnSuiteBindsMethodAndTarget(t *testing.T) {
	srv, keys, _ := sealedServer(t)
	r := sealOne(t, srv.URL+"/echo", keys.Public()[KeyMLKEM])
	for name, change := range map[string]func(*http.Request){
		"other target": func(c *http.Request) { c.URL.RawQuery = "to=mallory" },
		"other method": func(c *http.Request) { c.Method = "PUT" },
	} {
		if got := again(t, r, change); got != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d", name, got)
		}
	}
}

func TestOwnSuiteRefusesOldRequests(t *testing.T) {
	srv, keys, s := sealedServer(t)
	s.now = func() time.Time { return time.Now().Add(6 * time.Minute) }
	r := sealOne(t, srv.URL+"/echo", keys.Public()[KeyMLKEM])
	if got := again(t, r, nil); got != http.StatusConflict {
		t.Fatalf("status %d for a request sealed six minutes ago", got)
	}
}

func TestEveryFlippedByteOfASealedBodyIsRefused(t *testing.T) {
	srv, keys, _ := sealedServer(t)
	for _, key := range keys.Public() {
		_, _, s, err := (&SealedTransport{Key: key}).seal(httptest.NewRequest("POST", "/echo", nil), []byte("pay alice"))
		if err != nil || s == nil {
			t.Fatal(err)
		}
		r := sealOne(t, srv.URL+"/echo", key)
		raw, _ := io.ReadAll(r.Body)
		for i := range raw {
			bad := bytes.Clone(raw)
			bad[i] ^= 0x40
			got := again(t, r, func(c *http.Request) {
				c.Body, c.ContentLength = io.NopCloser(bytes.NewReader(bad)), int64(len(bad))
			})
			if got < 400 {
				t.Fatalf("key %d: byte %d flipped got status %d", key.ID, i, got)
			}
		}
	}
}

func TestCutSealedAnswerIsNoticed(t *testing.T) {
	srv, keys, _ := sealedServer(t)
	cut := roundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(bytes.NewReader(body[:len(body)-20])) // the last, empty chunk is 4+16 bytes
		return resp, nil
	})
	resp, err := (&http.Client{Transport: &SealedTransport{Key: keys.Public()[0], Base: cut}}).Post(srv.URL+"/echo", "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Fatal("an answer cut at a chunk's border reads as whole")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestOpenAnswerToASealedRequestIsRefused(t *testing.T) {
	_, keys, _ := sealedServer(t)
	open := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "send it to mallory") }))
	defer open.Close()
	if _, err := (&http.Client{Transport: &SealedTransport{Key: keys.Public()[0]}}).Post(open.URL, "text/plain", strings.NewReader("x")); err == nil {
		t.Fatal("an open answer was handed on as if it were sealed")
	}
}

func TestWrongKeyIsAKeyConfigProblem(t *testing.T) {
	srv, _, _ := sealedServer(t)
	other, err := NewSealKeys()
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: &SealedTransport{Key: other.Public()[0]}}).Post(srv.URL+"/echo", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 422 || !strings.Contains(string(text), keyProblem) {
		t.Fatalf("status %d: %s", resp.StatusCode, text)
	}
}

func TestKeyConfigBytes(t *testing.T) {
	_, keys, _ := sealedServer(t)
	b := keys.Config()
	if len(b) != 1+2+pubX25519+6+1+2+pubMLKEM+6 {
		t.Fatalf("%d bytes", len(b))
	}
	if got := hex.EncodeToString(b[:3]) + hex.EncodeToString(b[35:41]); got != "000020"+"000400010002" {
		t.Fatalf("first configuration %s", got)
	}
	if got := hex.EncodeToString(b[41:44]) + hex.EncodeToString(b[len(b)-6:]); got != "01647a"+"000400010002" {
		t.Fatalf("second configuration %s", got)
	}
}

func TestReplayMemoryIsBounded(t *testing.T) {
	r := &replays{limit: 4}
	at := time.Unix(0, 0)
	for i := range 100 {
		if !r.use([]byte{byte(i)}, at) {
			t.Fatalf("use %d refused", i)
		}
		if len(r.now)+len(r.old) > 8 {
			t.Fatal("memory grows")
		}
	}
	w := &replays{limit: 4, window: time.Minute}
	for i := range 4 {
		w.use([]byte{byte(i)}, at)
	}
	if w.use([]byte{9}, at) {
		t.Fatal("a full window forgot instead of refusing")
	}
	if !w.use([]byte{9}, at.Add(3*time.Minute)) {
		t.Fatal("the window never opens again")
	}
}

// A chunk must be whole before it opens, so whoever sends large ones slowly has memory held: only a few at a time have it.
func TestLargeChunksAreReadAFewAtATime(t *testing.T) {
	srv, keys, s := sealedServer(t)
	for range largeChunks { // as many as fit are on their way and do not arrive
		s.large <- struct{}{}
	}
	large := make([]byte, 4+largeChunk+1)
	binary.BigEndian.PutUint32(large, largeChunk+1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	key := keys.Public()[0]
	kept := sealOne(t, srv.URL+"/echo", key) // small ones pass
	r := httptest.NewRequest(http.MethodPost, "/echo", bytes.NewReader(large)).WithContext(ctx)
	r.Header.Set(HeaderEncapsulated, kept.Header.Get(HeaderEncapsulated))
	w := httptest.NewRecorder()
	s.Middleware(http.NotFoundHandler()).ServeHTTP(w, r)
	if left, _ := io.ReadAll(r.Body); len(left) != largeChunk+1 {
		t.Errorf("%d bytes of a large chunk were read without a place for them", largeChunk+1-len(left))
	}
	<-s.large
	big := bytes.Repeat([]byte("x"), 2*largeChunk)
	resp, err := (&http.Client{Transport: &SealedTransport{Key: key}}).Post(srv.URL+"/echo", "text/plain", bytes.NewReader(big))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || !bytes.Equal(got, big) || len(s.large) != largeChunks-1 {
		t.Errorf("%d bytes came back, %v, %d places taken", len(got), err, len(s.large))
	}
}
