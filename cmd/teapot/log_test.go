package main

import (
	"bytes"
	"context"
	"encoding/json"
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
		{[]string{"erase", "1", "--reason", "x", "--token", "tok"}, 1, "policy in force"},
		{[]string{"list", "--no-such-flag"}, 64, "unknown flag"},
	} {
		code, _, stderr := runLog(t, append(c.args, at...)...)
		if code != c.code || !strings.Contains(stderr, c.say) {
			t.Errorf("%v: exit %d, want %d: %s", c.args, code, c.code, stderr)
		}
	}
}
