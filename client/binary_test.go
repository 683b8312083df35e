package client_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/teapot-tee/teapot/verify"
)

// The binary, as a process of its own, in front of a relay that holds a copy of the agent's certificate and key.
func TestTheBinaryNoticesTheManInTheMiddle(t *testing.T) {
	teapot := filepath.Join(t.TempDir(), "teapot")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", teapot, "../cmd/teapot")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := begin(t, t.TempDir())
	direct := p.https(t)
	for address, want := range map[string]int{direct: 0, relay(t, p.cert, direct): 1} {
		cmd := exec.CommandContext(t.Context(), teapot, "verify", address, "--allow-simulated", "--json")
		cmd.Env = append(os.Environ(), "TEAPOT_STATE="+t.TempDir())
		out, _ := cmd.Output() // the exit code is looked at
		var r verify.Result
		if err := json.Unmarshal(out, &r); err != nil || cmd.ProcessState.ExitCode() != want || r.Exit != want {
			t.Fatalf("exit %d, want %d: %v\n%s", cmd.ProcessState.ExitCode(), want, err, out)
		}
		if want == 1 {
			wantFailed(t, r, "session.channel")
		}
	}
}
