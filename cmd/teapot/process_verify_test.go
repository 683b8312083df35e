package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/internal/between"
)

// The tests in this file run the real binary: a server in one process, the reader in another, an attacker between them.

var builtBinary = sync.OnceValues(func() (string, error) {
	path, err := filepath.Abs("../../.tools/teapot-under-test")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return path, nil
})

func binary(t *testing.T) string {
	t.Helper()
	path, err := builtBinary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// server is a running `teapot run` or `teapot serve`.
type server struct {
	url  string
	data string
	cmd  *exec.Cmd
	log  *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var serving = regexp.MustCompile(`serving\s+(https?://\S+)`)

// launch starts `teapot serve` over a data directory and waits until it says where.
func launch(t *testing.T, data string, extra ...string) *server {
	t.Helper()
	return launchCommand(t, data, append([]string{"serve", "--agent", "alice"}, extra...)...)
}

// launchCommand starts another command that serves.
func launchCommand(t *testing.T, data string, args ...string) *server {
	t.Helper()
	s := &server{data: data, log: &lockedBuffer{}}
	s.cmd = exec.Command(binary(t), append(args, "--addr", "127.0.0.1:0", "--data", data)...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop(t) })
	for range 300 {
		if m := serving.FindStringSubmatch(s.log.String()); m != nil {
			s.url = m[1]
			return s
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("the server does not say where it serves:\n%s", s.log.String())
	return nil
}

func (s *server) stop(t *testing.T) {
	t.Helper()
	if s.cmd.ProcessState != nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the server did not stop cleanly: %v\n%s", err, s.log.String())
	}
}

// say appends n entries as the agent's own process does.
func (s *server) say(t *testing.T, n int) {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(s.data, "token"))
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/agents/"+s.agent(t)+"/entries", strings.NewReader(`{"type":"app/note","text":"tea"}`))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode/100 != 2 {
			t.Fatalf("status %d: %s", resp.StatusCode, body)
		}
	}
}

func (s *server) agent(t *testing.T) string {
	t.Helper()
	resp, err := http.Get(s.url + "/v1/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var info struct {
		Agents []struct {
			ID string `json:"id"`
		} `json:"agents"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&info); err != nil || len(info.Agents) != 1 {
		t.Fatalf("agents %v, %v", info.Agents, err)
	}
	return info.Agents[0].ID
}

// verdict is the part of --json that these tests look at.
type verdictJSON struct {
	exit     int
	Tier     string `json:"tier"`
	Headline string `json:"headline"`
	Exit     int    `json:"exit"`
	Checks   []struct {
		ID, Outcome, Detail, Fault, Remedy string
	} `json:"checks"`
	Agents []struct {
		Verified, Size uint64
	} `json:"agents"`
	stderr string
}

func (v verdictJSON) outcome(id string) string {
	for _, c := range v.Checks {
		if c.ID == id && c.Outcome != "passed" {
			return c.Outcome
		}
	}
	for _, c := range v.Checks {
		if c.ID == id {
			return c.Outcome
		}
	}
	return "absent"
}

// reader is one stranger's machine: a state directory of its own.
type reader struct{ state string }

func (r reader) verify(t *testing.T, args ...string) verdictJSON {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(t), append([]string{"verify", "--json"}, args...)...)
	cmd.Env = append(os.Environ(), "TEAPOT_STATE="+r.state)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var v verdictJSON
	if jsonErr := json.Unmarshal(stdout.Bytes(), &v); jsonErr != nil {
		t.Fatalf("no result: %v, %v\n%s%s", err, jsonErr, stdout.Bytes(), stderr.Bytes())
	}
	v.exit, v.stderr = cmd.ProcessState.ExitCode(), stderr.String()
	if v.exit != v.Exit {
		t.Errorf("exit code %d, the result says %d", v.exit, v.Exit)
	}
	return v
}

// lying is a proxy in front of a server that changes answers.
func lying(t *testing.T, upstream string, change func(*http.Response) error) string {
	t.Helper()
	target, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, between.Proxy(func() *url.URL { return target }, change))
}

func serveOn(t *testing.T, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestStrangerVerifiesARunningAgent(t *testing.T) {
	s := launch(t, t.TempDir())
	s.say(t, 3)
	me := reader{t.TempDir()}
	v := me.verify(t, s.url, "--allow-simulated")
	if v.exit != 0 || v.Tier != "warning" || !strings.HasPrefix(v.Headline, "SIMULATED") || v.Agents[0].Verified != 4 {
		t.Fatalf("%+v", v)
	}
	// A simulator behind a production policy is contradicted in the first line.
	if v := me.verify(t, s.url); v.exit != 1 || v.Tier != "contraindicated" || !strings.Contains(v.Headline, "SIMULATED") {
		t.Fatalf("%+v", v)
	}
	file := filepath.Join(t.TempDir(), "alice.bundle")
	if out, err := exec.Command(binary(t), "bundle", s.url, "-o", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	offline := me.verify(t, file, "--allow-simulated")
	if offline.exit != 0 {
		t.Fatalf("%+v", offline)
	}
	for _, c := range v.Checks {
		got, want := offline.outcome(c.ID), c.Outcome
		if c.ID == "freshness.nonce" || c.ID == "session.channel" {
			want = "not_checked"
		}
		if got != want {
			t.Errorf("%s: %s in the file, %s at the server", c.ID, got, want)
		}
	}
}

func TestLyingProxies(t *testing.T) {
	s := launch(t, t.TempDir())
	s.say(t, 5)
	var old []byte // a bundle of now, replayed later
	if err := exec.Command(binary(t), "bundle", s.url, "-o", filepath.Join(t.TempDir(), "x")).Run(); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(s.url + "/v1/agents/" + s.agent(t) + "/bundle")
	if err != nil {
		t.Fatal(err)
	}
	old = between.Answered(resp)
	var session []byte
	s.say(t, 2)
	for _, c := range []struct {
		name   string
		change func(resp *http.Response) error
		id     string
	}{
		{"an old log", func(resp *http.Response) error {
			if strings.HasSuffix(resp.Request.URL.Path, "/bundle") {
				between.Replace(resp, old)
			}
			return nil
		}, "consistency.session"},
		{"an old session", func(resp *http.Response) error {
			if resp.Request.URL.Path == "/v1/session" {
				if session == nil {
					session = between.Answered(resp)
					between.Replace(resp, bytes.Clone(session))
				}
				between.Replace(resp, session)
			}
			return nil
		}, "freshness.nonce"},
	} {
		t.Run(c.name, func(t *testing.T) {
			address, me := lying(t, s.url, c.change), reader{t.TempDir()}
			v := me.verify(t, address, "--allow-simulated")
			if c.id == "freshness.nonce" {
				v = me.verify(t, address, "--allow-simulated") // the second caller gets the first one's session
			}
			if v.exit != 1 || v.outcome(c.id) != "failed" {
				t.Fatalf("%s is %s: %+v", c.id, v.outcome(c.id), v)
			}
		})
	}
	t.Run("an edited log", func(t *testing.T) {
		address := lying(t, s.url, func(resp *http.Response) error {
			if strings.HasSuffix(resp.Request.URL.Path, "/bundle") {
				b := between.Answered(resp)
				b[len(b)-200] ^= 1
				between.Replace(resp, b)
			}
			return nil
		})
		if v := (reader{t.TempDir()}).verify(t, address, "--allow-simulated"); v.exit == 0 {
			t.Fatalf("%+v", v)
		}
	})
}

func TestOldDiskAndForkBehindOneAddress(t *testing.T) {
	data, copied := t.TempDir(), filepath.Join(t.TempDir(), "old")
	s := launch(t, data)
	s.say(t, 2)
	s.stop(t)
	if err := os.CopyFS(copied, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	s = launch(t, data)
	s.say(t, 6)
	var behind atomic.Pointer[url.URL] // the proxy's goroutines read it
	point := func(to string) {
		u, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		behind.Store(u)
	}
	point(s.url)
	address := serveOn(t, between.Proxy(behind.Load, nil))
	me := reader{t.TempDir()}
	if v := me.verify(t, address, "--allow-simulated"); v.exit != 0 {
		t.Fatalf("%+v", v)
	}
	s.stop(t)
	back := launch(t, copied)
	point(back.url)
	v := me.verify(t, address, "--allow-simulated")
	if v.exit != 1 || v.outcome("rollback.memory") != "failed" {
		t.Fatalf("an old disk went unnoticed: %+v", v)
	}
	back.say(t, 12)
	v = me.verify(t, address, "--allow-simulated")
	if v.exit != 1 || v.outcome("rollback.memory") != "failed" {
		t.Fatalf("a fork went unnoticed: %+v", v)
	}
	m := regexp.MustCompile(`evidence of the fork: (\S+)`).FindStringSubmatch(v.stderr)
	if m == nil {
		t.Fatalf("no evidence kept:\n%s", v.stderr)
	}
	if v := (reader{t.TempDir()}).verify(t, m[1]); v.exit != 1 || v.outcome("consistency.fork") != "failed" {
		t.Fatalf("the evidence proves nothing to a third person: %+v", v)
	}
}

func TestAttestedTLSOfTheBinary(t *testing.T) {
	s := launch(t, t.TempDir(), "--tls")
	for _, kind := range []string{"tls", "hpke"} {
		v := (reader{t.TempDir()}).verify(t, s.url, "--allow-simulated", "--channel", kind)
		if v.exit != 0 || v.outcome("session.channel") != "passed" {
			t.Fatalf("%s: %+v", kind, v)
		}
	}
}

func TestVerifyOfWhatCannotBeJudged(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	html := serveOn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<!DOCTYPE html><p>hello") }))
	for target, says := range map[string]string{
		filepath.Join(dir, "missing"):                 "no such file",
		write("empty", ""):                            "empty",
		write("page.html", "<!DOCTYPE html><title>"):  "web page",
		write("cut", "TEAPOT-BUNDLE\x00\x01\n\x01"):   "ends in the middle",
		write("text", "hello there"):                  "no quote",
		write("other.json", `{"type":"teapot/x/v9"}`): "cannot be judged",
		"http://127.0.0.1:1":                          "nobody listens",
		html:                                          "HTML",
	} {
		v := (reader{t.TempDir()}).verify(t, target)
		if v.exit != 2 || v.Tier != "none" || !strings.Contains(v.Headline+v.stderr, says) || !strings.Contains(v.stderr, "hint:") {
			t.Errorf("%s: exit %d, tier %s, %q, stderr %q", target, v.exit, v.Tier, v.Headline, v.stderr)
		}
	}
	for _, args := range [][]string{{"verify"}, {"verify", "a", "b"}, {"verify", "--nope", "x"}, {"verify", "x", "--policy", write("bad.toml", "mrtdd = 1")}, {"bundle", "http://x"}} {
		cmd := exec.Command(binary(t), args...)
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 64 {
			t.Errorf("%v: exit %d\n%s", args, cmd.ProcessState.ExitCode(), out)
		}
	}
}

func TestContentAddressedNamesOfTheBinary(t *testing.T) {
	s := launch(t, t.TempDir(), "--app-base", "agents.example")
	ask := func(host string) int {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/v1/", nil)
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	if got := ask("0000000000000000000000000000000000000000.agents.example"); got != http.StatusMisdirectedRequest {
		t.Fatalf("another app's name: status %d", got)
	}
	if got := ask("127.0.0.1"); got != http.StatusOK {
		t.Fatalf("status %d", got)
	}
}
