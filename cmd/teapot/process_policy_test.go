package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestPolicyWrittenFromWhatRunsIsMetUntilSomethingChanges(t *testing.T) {
	data := t.TempDir()
	s := launch(t, data)
	file := filepath.Join(t.TempDir(), "alice.toml")
	if out, err := exec.Command(binary(t), "policy", "init", s.url, "-o", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := exec.Command(binary(t), "policy", "init", s.url, "-o", file).CombinedOutput(); err == nil || !strings.Contains(string(out), "not overwritten") {
		t.Fatalf("a policy was overwritten: %s", out)
	}
	out, err := exec.Command(binary(t), "policy", "explain", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Nothing is waived") {
		t.Fatalf("%v\n%s", err, out)
	}
	if v := (reader{t.TempDir()}).verify(t, s.url, "--policy", file); v.exit != 0 {
		t.Fatalf("%+v", v)
	}
	if out, err := exec.Command(binary(t), "quote", "verify", os.DevNull, "--policy", file).CombinedOutput(); err == nil || strings.Contains(string(out), "policy:") {
		t.Fatalf("quote verify does not read the same file: %s", out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(text), `mrtd = ["`) + len(`mrtd = ["`)
	text[at] = "0f"[b2i(text[at] == '0')]
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if v := (reader{t.TempDir()}).verify(t, s.url, "--policy", file); v.exit != 1 || v.outcome("measurements.code") != "failed" {
		t.Fatalf("another system than the policy names: %+v", v)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestWatchSaysWhatChanges(t *testing.T) {
	s := launch(t, t.TempDir())
	cmd := exec.Command(binary(t), "verify", s.url, "--allow-simulated", "--watch=1s")
	cmd.Env = append(os.Environ(), "TEAPOT_STATE="+t.TempDir())
	out := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	waitFor(t, out, "unchanged: SIMULATED")
	s.stop(t)
	waitFor(t, out, "NOT JUDGED")
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the code is looked at
	if cmd.ProcessState.ExitCode() != 2 {
		t.Fatalf("exit %d\n%s", cmd.ProcessState.ExitCode(), out.String())
	}
}

func waitFor(t *testing.T, out *lockedBuffer, text string) {
	t.Helper()
	for range 300 {
		if strings.Contains(out.String(), text) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%q never came:\n%s", text, out.String())
}
