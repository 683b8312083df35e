package deploy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBackupsSurviveAndOldOnesAreNoticed: a backup brings everything back; to a reader who saw more, an older one is a rollback; to one
// who never looked, it is the log.
func TestBackupsSurviveAndOldOnesAreNoticed(t *testing.T) {
	bin, work := binary(t), t.TempDir()
	data, reader := filepath.Join(work, "data"), filepath.Join(work, "reader")
	grow(t, sidecar(t, bin, data), 0, 3, "")
	teapot(t, bin, 0, "", "backup", "--data", data, "-o", filepath.Join(work, "old.tar"))
	grow(t, sidecar(t, bin, data), 3, 5, reader) // also an upgrade: stop, another process, start
	teapot(t, bin, 0, "", "backup", "--data", data, "-o", filepath.Join(work, "new.tar"))

	for _, c := range []struct {
		backup, state string
		exit          int
		says          string
	}{
		{"new.tar", reader, 0, "every link holds"},
		{"old.tar", reader, 1, "CONTRADICTED at rollback"},
		{"old.tar", filepath.Join(work, "stranger"), 0, "every link holds"},
	} {
		restored := filepath.Join(t.TempDir(), "restored")
		teapot(t, bin, 0, "", "restore", filepath.Join(work, c.backup), "--data", restored)
		p := sidecar(t, bin, restored)
		if text := teapot(t, bin, c.exit, c.state, "verify", p.url, "--allow-simulated"); !strings.Contains(text, c.says) {
			t.Errorf("%s, seen by %s: want %q\n%s", c.backup, filepath.Base(c.state), c.says, text)
		}
		p.stop(t)
	}
}

// grow appends entries from..to, reads all of them back, lets a reader look, and stops.
func grow(t *testing.T, p *process, from, to int, reader string) {
	t.Helper()
	for i := from; i < to; i++ {
		if status, answer, err := p.append(t, fmt.Sprintf("entry %d", i)); err != nil || status/100 != 2 {
			t.Fatalf("%d %s, %v", status, answer, err)
		}
	}
	if reader != "" {
		teapot(t, p.cmd.Path, 0, reader, "verify", p.url, "--allow-simulated")
	}
	p.stop(t)
}

func teapot(t *testing.T, bin string, exit int, state string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), bin, args...)
	cmd.Env = append(os.Environ(), "TEAPOT_STATE="+state)
	out, _ := cmd.CombinedOutput() // the exit code is looked at
	if code := cmd.ProcessState.ExitCode(); code != exit {
		t.Errorf("teapot %v: exit %d, want %d\n%s", args, code, exit, out)
	}
	return string(out)
}
