package client_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/client"
	"github.com/teapot-tee/teapot/ratls"
	"github.com/teapot-tee/teapot/verify"
)

func mustLook(t *testing.T, address string, memory *client.Memory, o client.LookOptions) verify.Result {
	t.Helper()
	r, err := look(t, address, memory, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantMet(t *testing.T, r verify.Result) {
	t.Helper()
	if r.Err() != nil {
		t.Fatal(text(r))
	}
}

func text(r verify.Result) string {
	var b bytes.Buffer
	_ = r.WriteText(&b) // a buffer does not fail
	return b.String()
}

func wantFailed(t *testing.T, r verify.Result, id string) {
	t.Helper()
	if c := r.Find(id); c.Outcome != appraisal.Failed || r.Exit != 1 {
		t.Fatalf("%s is %s:\n%s", id, c.Outcome, text(r))
	}
}

func TestLookOverEachChannel(t *testing.T) {
	p := begin(t, t.TempDir())
	p.talk(t, 3)
	address := p.https(t)
	for _, kind := range []string{"", "tls", "hpke"} {
		r := mustLook(t, address, client.MemoryAt(t.TempDir()), client.LookOptions{Channel: kind})
		wantMet(t, r)
		if c := r.Find("session.channel"); c.Outcome != appraisal.Passed {
			t.Fatalf("channel %q: %s %s", kind, c.Outcome, c.Detail)
		}
	}
	wantFailed(t, mustLook(t, address, client.MemoryAt(t.TempDir()), client.LookOptions{Channel: "none"}), "session.channel")
	wantMet(t, mustLook(t, p.http(t), client.MemoryAt(t.TempDir()), client.LookOptions{}))
}

func TestManInTheMiddleWithCopiedCertificateAndKey(t *testing.T) {
	p := begin(t, t.TempDir())
	address := relay(t, p.cert, p.https(t))
	r := mustLook(t, address, client.MemoryAt(t.TempDir()), client.LookOptions{})
	wantFailed(t, r, "session.channel")
	if !strings.Contains(r.Headline, "ends your TLS before the agent") {
		t.Fatalf("headline %q", r.Headline)
	}
	// The sealed channel passes through the relay, and the relay learns nothing.
	wantMet(t, mustLook(t, address, client.MemoryAt(t.TempDir()), client.LookOptions{Channel: "hpke"}))
}

func TestServerBehindAProxyThatEndsTLS(t *testing.T) {
	p := begin(t, t.TempDir())
	r := mustLook(t, relay(t, p.cert, p.http(t)), client.MemoryAt(t.TempDir()), client.LookOptions{})
	wantFailed(t, r, "session.channel")
}

func TestSecondLookAsksOnlyForWhatIsNew(t *testing.T) {
	p := begin(t, t.TempDir())
	p.talk(t, 20)
	address, memory := p.http(t), client.MemoryAt(t.TempDir())
	wantMet(t, mustLook(t, address, memory, client.LookOptions{}))
	p.talk(t, 4)
	r := mustLook(t, address, memory, client.LookOptions{})
	wantMet(t, r)
	if a := r.Agents[0]; a.Verified != 4 || a.Size != 25 {
		t.Fatalf("verified %d of %d", a.Verified, a.Size)
	}
	whole := mustLook(t, address, memory, client.LookOptions{Whole: true})
	wantMet(t, whole)
	if a := whole.Agents[0]; a.Verified != 25 {
		t.Fatalf("verified %d", a.Verified)
	}
	part := mustLook(t, address, memory, client.LookOptions{Query: client.BundleQuery{From: 10, To: 12}})
	wantMet(t, part)
	if a := part.Agents[0]; a.Verified >= 25 {
		t.Fatalf("a part walked %d entries", a.Verified)
	}
	kind := mustLook(t, address, memory, client.LookOptions{Query: client.BundleQuery{Type: "message"}})
	wantMet(t, kind)
}

func TestOldDiskAndForkAtTheSecondLook(t *testing.T) {
	dir := t.TempDir()
	p := begin(t, dir)
	p.talk(t, 2)
	p.stop()
	old := t.TempDir()
	if err := os.CopyFS(old, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	p = begin(t, dir)
	p.talk(t, 9)
	// One address, three machines behind it, one after the other.
	behind := p.handler()
	address := "http://" + serve(t, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { behind.ServeHTTP(w, r) }))
	memory := client.MemoryAt(t.TempDir())
	wantMet(t, mustLook(t, address, memory, client.LookOptions{}))
	p.stop()
	back := begin(t, old)
	behind = back.handler()
	r := mustLook(t, address, memory, client.LookOptions{})
	wantFailed(t, r, "rollback.memory")
	back.talk(t, 30)
	wantFailed(t, mustLook(t, address, memory, client.LookOptions{}), "rollback.memory")
	forked := mustLook(t, address, memory, client.LookOptions{Whole: true})
	wantFailed(t, forked, "rollback.memory")
	if len(forked.Forks) != 1 {
		t.Fatalf("no evidence of the fork:\n%s", text(forked))
	}
}

// What is no Teapot, or a broken one, is said in one sentence with a next step.
func TestUnusableServers(t *testing.T) {
	p := begin(t, t.TempDir())
	p.talk(t, 50)
	good := p.handler()
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		says    string
	}{
		"HTML": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<!DOCTYPE html><title>log in</title>")
		}, "web page (HTML)"},
		"HTML called JSON": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "<!DOCTYPE html><title>log in</title>")
		}, "not whole JSON"},
		"other JSON": {func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, map[string]int{"uptime": 3}) }, "does not say a Teapot version"},
		"404":        {http.NotFound, "refused without a reason"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusFound)
		}, "redirects"},
		"cut bundle": {func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/bundle") {
				good.ServeHTTP(w, r)
				return
			}
			good.ServeHTTP(&cutWriter{ResponseWriter: w, left: 20_000}, r)
		}, "ends in the middle"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := look(t, "http://"+serve(t, nil, c.handler), client.MemoryAt(t.TempDir()), client.LookOptions{})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want %q in it", err, c.says)
			}
		})
	}
	_, err := look(t, "http://127.0.0.1:1", client.MemoryAt(t.TempDir()), client.LookOptions{})
	var typed *client.Error
	if !errors.As(err, &typed) || !strings.Contains(typed.Cause, "nobody listens") || typed.Hint() == "" {
		t.Fatalf("got %v", err)
	}
}

// cutWriter drops everything after so many bytes and says nothing, as a proxy with a short limit does.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (w *cutWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.left)
	w.left -= n
	_, err := w.ResponseWriter.Write(p[:n])
	return len(p), err
}

func TestDamagedMemoryIsNamed(t *testing.T) {
	p := begin(t, t.TempDir())
	dir := t.TempDir()
	address := p.http(t)
	wantMet(t, mustLook(t, address, client.MemoryAt(dir), client.LookOptions{}))
	files, err := os.ReadDir(dir + "/targets")
	if err != nil || len(files) != 1 {
		t.Fatal(err)
	}
	path := dir + "/targets/" + files[0].Name()
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := look(t, address, client.MemoryAt(dir), client.LookOptions{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v", err)
	}
}

func TestAttestedClientTalksOnlyToTheAttestedKey(t *testing.T) {
	p, other := begin(t, t.TempDir()), begin(t, t.TempDir())
	var cfg atomic.Pointer[tls.Config]
	cfg.Store(ratls.ServerConfig(p.cert))
	address := "https://" + serve(t, &tls.Config{MinVersion: tls.VersionTLS13, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return cfg.Load(), nil }}, p.handler())
	c, r, err := client.Attested(t.Context(), address, nil, verify.Policy{Simulated: "allow"}, client.LookOptions{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text(r))
	}
	resp, err := c.Get(address + "/v1/")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	cfg.Store(ratls.ServerConfig(other.cert)) // somebody else answers under the same address, with evidence in the certificate
	c.CloseIdleConnections()
	if resp, err := c.Get(address + "/v1/"); !errors.Is(err, ratls.ErrUnknownKey) {
		if err == nil {
			_ = resp.Body.Close()
		}
		t.Fatalf("got %v", err)
	}
	if c, r, err := client.Attested(t.Context(), p.https(t), nil, verify.Policy{}, client.LookOptions{}); c != nil || !errors.Is(err, verify.ErrNotMet) || r.Exit != 1 {
		t.Fatalf("a client for a server that was not accepted: %v", err)
	}
}

// A server that sends rubbish in the middle of a log must not block the connection on which the next one is asked for.
func TestBrokenStreamDoesNotHoldTheConnection(t *testing.T) {
	p := begin(t, t.TempDir())
	p.talk(t, 200)
	good := p.handler()
	address := "http://" + serve(t, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/bundle") {
			w = &spoiler{ResponseWriter: w}
		}
		good.ServeHTTP(w, r)
	}))
	transport := client.NewTransport()
	defer transport.CloseIdleConnections()
	c, err := client.New(address, client.Options{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.Look(t.Context(), nil, client.LookOptions{})
	if err != nil {
		t.Fatal(err)
	}
	in.Logs = append(in.Logs, in.Logs[0])
	if r, err := verify.Appraise(in, verify.Policy{Simulated: "allow"}, time.Now()); err == nil && r.Err() == nil {
		t.Fatal("rubbish was accepted")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := c.Info(ctx); err != nil {
		t.Fatalf("the connection is held: %v", err)
	}
}

// spoiler flips bytes from the middle of what passes.
type spoiler struct {
	http.ResponseWriter
	n int
}

func (s *spoiler) Write(p []byte) (int, error) {
	if s.n += len(p); s.n > 60_000 {
		p = bytes.Repeat([]byte{0xee}, len(p))
	}
	return s.ResponseWriter.Write(p)
}

// What GET /v1/ says of a log is not attested: a server cannot hide a log that this machine knows from elsewhere behind a wrong name.
func TestServerThatMisnamesItsLogIsComparedAllTheSame(t *testing.T) {
	dir := t.TempDir()
	p := begin(t, dir)
	p.stop()
	old := t.TempDir()
	if err := os.CopyFS(old, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	p = begin(t, dir)
	p.talk(t, 9)
	memory := client.MemoryAt(t.TempDir())
	wantMet(t, mustLook(t, p.http(t), memory, client.LookOptions{}))
	p.stop()
	back := begin(t, old).handler()
	elsewhere := "http://" + serve(t, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/" {
			back.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		back.ServeHTTP(answer, r)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, strings.ReplaceAll(answer.Body.String(), `"origin":"teapot/`, `"origin":"teapod/`))
	}))
	wantFailed(t, mustLook(t, elsewhere, memory, client.LookOptions{}), "rollback.memory")
}

// Two looks at once: the one that saw less and ends last does not take the memory back.
func TestMemoryNeverGoesBack(t *testing.T) {
	p := begin(t, t.TempDir())
	memory, address := client.MemoryAt(t.TempDir()), p.http(t)
	less := mustLook(t, address, client.MemoryAt(t.TempDir()), client.LookOptions{})
	p.talk(t, 3)
	more := mustLook(t, address, memory, client.LookOptions{})
	if _, err := memory.RememberAll(less); err != nil {
		t.Fatal(err)
	}
	for _, s := range more.Remember {
		for _, get := range []func() (*verify.Seen, error){
			func() (*verify.Seen, error) { return memory.Of(s.Origin) },
			func() (*verify.Seen, error) { return memory.At(s.Target, s.Agent) },
		} {
			if now, err := get(); err != nil || now == nil || !bytes.Equal(now.Checkpoint, s.Checkpoint) {
				t.Fatalf("%+v, %v", now, err)
			}
		}
	}
}

// The memory is keyed by the address: another spelling must not make a known server a stranger.
func TestAddressHasOneSpelling(t *testing.T) {
	for _, spelling := range []string{"http://Agent.Example:3000", "HTTP://agent.example:3000/"} {
		if a, err := client.ParseAddress(spelling); err != nil || a.String() != "http://agent.example:3000" {
			t.Errorf("%s: %v, %v", spelling, a, err)
		}
	}
}
