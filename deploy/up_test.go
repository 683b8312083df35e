package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestUpComparesTheQuoteWithWhatWasRendered: render, start a guest that measures these bytes behind a VMM of ours, up; then the same with a
// guest that measures something else.
func TestUpComparesTheQuoteWithWhatWasRendered(t *testing.T) {
	bin := binary(t)
	work := t.TempDir()
	out := filepath.Join(work, "out")
	if text, err := exec.CommandContext(t.Context(), bin, "deploy", "render", "--name", "teapot-test", "--compose", "compose/production.yaml", "-o", out).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	rendered := filepath.Join(out, "app-compose.json")
	raw, err := os.ReadFile(rendered)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(work, "other.json")
	if err := os.WriteFile(other, []byte(strings.Replace(string(raw), "teapot-test", "teapot-evil", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	vmm := fakeVMM(t)
	for name, c := range map[string]struct {
		compose string
		exit    int
		says    string
	}{
		"the rendered app": {rendered, 0, "carries the rendered compose hash"},
		"another app":      {other, 1, "something else runs there"},
	} {
		agent := guest(t, bin, filepath.Join(t.TempDir(), "data"), c.compose)
		cmd := exec.CommandContext(t.Context(), bin, "deploy", "up", "--vmm", vmm, "--os-image", "dstack-0.5.5", "--dir", out, "--url", agent, "--wait", "20s")
		text, _ := cmd.CombinedOutput() // the exit code is looked at below
		if cmd.ProcessState.ExitCode() != c.exit || !strings.Contains(string(text), c.says) {
			t.Errorf("%s: exit %d\n%s", name, cmd.ProcessState.ExitCode(), text)
		}
	}
}

// fakeVMM answers as dstack's VMM does, and says running at once.
func fakeVMM(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			ComposeFile string `json:"compose_file"`
		}
		_ = json.NewDecoder(r.Body).Decode(&in) // calls without a body have none
		switch r.URL.Path {
		case "/prpc/GetComposeHash":
			fmt.Fprintf(w, `{"hash":%q}`, sha256Hex(in.ComposeFile))
		case "/prpc/CreateVm":
			fmt.Fprint(w, `{"id":"vm-1"}`)
		default:
			fmt.Fprint(w, `{"found":true,"info":{"id":"vm-1","status":"running","boot_progress":"done"}}`)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// guest runs an agent in a simulated TEE that measures the compose file.
func guest(t *testing.T, bin, data, compose string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, bin, "run", "--addr", "127.0.0.1:0", "--data", data, "--app-compose", compose)
	cmd.Env = append(os.Environ(), "TEAPOT_PLATFORM=simulator", "TEE_MODE=")
	out := &watcher{want: "check it", found: make(chan struct{})}
	cmd.Stderr = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() }) // killed on purpose
	select {
	case <-out.found:
	case <-ctx.Done():
		t.Fatalf("did not start:\n%s", out.text())
	}
	return regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(out.text())
}
