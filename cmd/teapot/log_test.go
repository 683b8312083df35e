package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/server/access"
	v1 "github.com/teapot-tee/teapot/server/v1"
	"github.com/teapot-tee/teapot/tlog"
)

const logAgent = "b850bc30-45f8-0041-a00a-83df46d8555d"

// logProcess is a simulated agent with a short conversation.
func logProcess(t *testing.T, dir string) *boot.Process {
	t.Helper()
	attester, err := sim.New(sim.Options{Dir: dir, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	p, err := boot.Start(t.Context(), boot.Config{
		Dir: dir, Attester: attester, Collateral: attester, Software: evidence.Software{Name: "teapot", Version: "test"},
		Policies: boot.WeakestSafe(), Now: time.Now, Logger: slog.New(slog.DiscardHandler),
		Agents: []boot.AgentSpec{{ID: logAgent, Name: "Eliza", Character: []byte(`{"name":"Eliza"}`)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := p.Agent(logAgent)
	for _, e := range []actionlog.Entry{
		{Type: "message", Source: tlog.SourceRuntime, Room: "r", User: "alice", MediaType: "text/plain", Content: []byte("hello")},
		{Type: "action", Source: tlog.SourceGateway, Room: "r", MediaType: "text/plain", Content: []byte("waved"), Cause: []uint64{1}},
	} {
		if _, err := a.Log.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func runLog(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = execute(context.WithoutCancel(t.Context()), append([]string{"log"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

func TestLogOffline(t *testing.T) {
	dir := t.TempDir()
	p := logProcess(t, dir)
	code, _, stderr := runLog(t, "list", "--data", dir)
	if code != 2 || !strings.Contains(stderr, "in use") {
		t.Errorf("while it runs: %d %s", code, stderr)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	code, stdout, _ := runLog(t, "list", "--data", dir, "--oldest")
	if lines := strings.Split(strings.TrimSpace(stdout), "\n"); code != 0 || len(lines) != 3 || !strings.Contains(lines[1], "hello") || !strings.Contains(lines[2], "waved") {
		t.Errorf("list: %d\n%s", code, stdout)
	}
	code, stdout, _ = runLog(t, "list", "--data", dir, "--type", "message", "--text", "HELL", "--json", "--count")
	var page entriesPage
	if err := json.Unmarshal([]byte(stdout), &page); code != 0 || err != nil || *page.Total != 1 || page.Entries[0].Content.User != "alice" {
		t.Errorf("list --json: %d %v\n%s", code, err, stdout)
	}
	code, stdout, _ = runLog(t, "tail", "--data", dir, "-n", "1", "--json")
	var last v1.Entry
	if err := json.Unmarshal([]byte(stdout), &last); code != 0 || err != nil || last.Index != 2 {
		t.Errorf("tail: %d %v\n%s", code, err, stdout)
	}
	code, stdout, _ = runLog(t, "show", "2", "--data", dir)
	if code != 0 || !strings.Contains(stdout, "leads to the checkpoint of size 3") || !strings.Contains(stdout, "led to it    1 message: hello") {
		t.Errorf("show: %d\n%s", code, stdout)
	}
	code, stdout, _ = runLog(t, "stats", "--data", dir, "--json")
	var st actionlog.Stats
	if err := json.Unmarshal([]byte(stdout), &st); code != 0 || err != nil || st.Size != 3 || st.Types["action"] != 1 {
		t.Errorf("stats: %d %v\n%s", code, err, stdout)
	}
	file := filepath.Join(dir, "x.bundle")
	if code, stdout, stderr = runLog(t, "export", "--data", dir, "-o", file, "--type", "action"); code != 0 || !strings.Contains(stdout, "entries") {
		t.Errorf("export: %d %s%s", code, stdout, stderr)
	}
	var out, errs bytes.Buffer
	if code := execute(context.WithoutCancel(t.Context()), []string{"verify", file, "--allow-simulated"}, &out, &errs); code != 0 {
		t.Errorf("verify of the export: %d\n%s%s", code, out.String(), errs.String())
	}
}

func TestLogOverHTTP(t *testing.T) {
	p := logProcess(t, t.TempDir())
	defer p.Close()
	mux := http.NewServeMux()
	v1.Logs{
		Token: access.NewToken("tok"),
		Agent: func(id string) (*actionlog.Log, bool) {
			a, ok := p.Agent(id)
			if !ok {
				return nil, false
			}
			return a.Log, true
		},
	}.Register(mux)
	server := httptest.NewServer(mux)
	defer server.Close()
	at := []string{"--url", server.URL, "--agent", logAgent}
	code, stdout, _ := runLog(t, append([]string{"list"}, at...)...)
	if code != 0 || !strings.Contains(stdout, "(withheld)") || strings.Contains(stdout, "hello") || !strings.Contains(stdout, "waved") {
		t.Errorf("list without a token: %d\n%s", code, stdout)
	}
	code, stdout, _ = runLog(t, append([]string{"list", "--token", "tok", "--room", "r"}, at...)...)
	if code != 0 || !strings.Contains(stdout, "hello") {
		t.Errorf("list with a token: %d\n%s", code, stdout)
	}
	for _, c := range []struct {
		args []string
		code int
		say  string
	}{
		{[]string{"list", "--room", "r"}, 2, "real ids need a token"},
		{[]string{"show", "99"}, 2, "no such entry"},
		{[]string{"show", "x"}, 64, "not the index"},
		{[]string{"list", "--type", "A B"}, 64, "type"},
		{[]string{"export"}, 64, "-o FILE"},
		{[]string{"erase", "1"}, 64, "--reason"},
		{[]string{"erase", "1", "--reason", "x"}, 2, "not authorized"},
		{[]string{"erase", "1", "--reason", "x", "--token", "tok"}, 1, "has version = 1, then [erasure]"},
		{[]string{"list", "--no-such-flag"}, 64, "unknown flag"},
	} {
		code, _, stderr := runLog(t, append(c.args, at...)...)
		if code != c.code || !strings.Contains(stderr, c.say) {
			t.Errorf("%v: exit %d, want %d: %s", c.args, code, c.code, stderr)
		}
	}
}

// The address is an argument, as everywhere else, or --url; the agent goes by id or by name.
func TestLogTakesTheAddressAsArgument(t *testing.T) {
	p := logProcess(t, t.TempDir())
	defer p.Close()
	mux := http.NewServeMux()
	routes := v1.Logs{Token: access.NewToken("tok"), Agent: func(id string) (*actionlog.Log, bool) {
		a, ok := p.Agent(id)
		if !ok {
			return nil, false
		}
		return a.Log, true
	}}
	routes.Register(mux)
	mux.HandleFunc("GET /v1/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"version":"x","agents":[{"id":%q,"name":"eliza"},{"id":"11111111-2222-4333-8444-555555555555","name":"other"}]}`, logAgent)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	out := filepath.Join(t.TempDir(), "out.bundle")
	for _, c := range []struct {
		args []string
		code int
		say  string
	}{
		{[]string{"list", server.URL, "--agent", "eliza"}, 0, "boot"},
		{[]string{"tail", server.URL, "--agent", "eliza"}, 0, "boot"},
		{[]string{"stats", server.URL, "--agent", logAgent}, 0, "entries"},
		{[]string{"show", server.URL, "0", "--agent", "eliza"}, 0, "type boot"},
		{[]string{"show", "0", server.URL, "--agent", "eliza"}, 0, "type boot"},
		{[]string{"export", server.URL, "-o", out, "--agent", "eliza"}, 0, "entries"},
		{[]string{"erase", server.URL, "1", "--reason", "x", "--agent", "eliza"}, 2, "not authorized"},
		{[]string{"erase", server.URL, "--reason", "x"}, 64, "which entries"},
		{[]string{"show", server.URL}, 64, "which entry"},
		{[]string{"list", server.URL}, 64, "choose one with --agent"},
		{[]string{"list", server.URL, "--agent", "nobody"}, 64, `no agent "nobody" there`},
		{[]string{"list", server.URL, "--url", server.URL}, 64, "given twice"},
		{[]string{"list", server.URL, "--data", "x"}, 64, "leave one of them out"},
		{[]string{"list", host}, 64, "write http://" + host},
		{[]string{"list", "eliza"}, 64, "is no address"},
		{[]string{"list", "http://127.0.0.1:1"}, 2, "nobody listens"},
		{[]string{"list", "http://127.0.0.1:1", "--agent", logAgent}, 2, "nobody listens"},
	} {
		code, stdout, stderr := runLog(t, c.args...)
		if code != c.code || !strings.Contains(stdout+stderr, c.say) {
			t.Errorf("%v: exit %d, want %d with %q:\n%s%s", c.args, code, c.code, c.say, stdout, stderr)
		}
	}
}

// A search for a text comes in pages that may be empty; nobody should have to ask for the next one by hand.
func TestLogListSearchesOnThroughEmptyPages(t *testing.T) {
	pages := map[string]string{
		"":  `{"size":9,"next":"6","entries":[]}`,
		"6": `{"size":9,"next":"3","entries":[{"index":5,"type":"app/x","content":{"status":"disclosed","media_type":"text/plain","text":"needle five"}}]}`,
		"3": `{"size":9,"next":"1","entries":[{"index":2,"type":"app/x","content":{"status":"disclosed","media_type":"text/plain","text":"needle two"}}]}`,
		"1": `{"size":9,"entries":[]}`,
	}
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		asked = append(asked, q.Get("cursor")+"/"+q.Get("limit"))
		fmt.Fprint(w, pages[q.Get("cursor")])
	}))
	defer server.Close()
	for _, c := range []struct {
		n, asked string
		lines    int
	}{
		{"20", "/20 6/20 3/19 1/18", 2},
		{"2", "/2 6/2 3/1", 2},
		{"1", "/1 6/1", 1},
	} {
		asked = nil
		code, stdout, stderr := runLog(t, "list", server.URL, "--agent", logAgent, "--text", "needle", "-n", c.n)
		if code != 0 || strings.Count(stdout, "needle") != c.lines || strings.Join(asked, " ") != c.asked {
			t.Errorf("-n %s: exit %d, asked %v\n%s%s", c.n, code, asked, stdout, stderr)
		}
	}
	asked = nil
	if code, _, stderr := runLog(t, "list", server.URL, "--agent", logAgent); code != 0 || len(asked) != 1 || !strings.Contains(stderr, "--cursor 6") {
		t.Errorf("without a text: asked %v, %s", asked, stderr)
	}
}
