package deploy

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSGXWithoutHardwareStopsWithAClearText: SGX=1 never falls back.
func TestSGXWithoutHardwareStopsWithAClearText(t *testing.T) {
	binary(t)
	if _, err := os.Stat("/dev/sgx_enclave"); err == nil {
		t.Skip("this machine has SGX")
	}
	cmd := exec.CommandContext(t.Context(), "../scripts/start.sh", "--character", "character/x.json") // as in the document; no such file either
	cmd.Env = append(os.Environ(), "SGX=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "SGX=1 needs SGX hardware: /dev/sgx_enclave") || !strings.Contains(string(out), "run without SGX=1") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestStartSaysThatItIsNoTEE runs make start's script as the document does, with a character of Eliza's search path.
func TestStartSaysThatItIsNoTEE(t *testing.T) {
	binary(t)
	if _, err := exec.LookPath("gramine-direct"); err == nil {
		t.Skip("Gramine is installed: the script takes gramine-direct")
	}
	character := filepath.Join(t.TempDir(), "x.json")
	const text = `{"name":"X","modelProvider":"openai","bio":"b","lore":[],"messageExamples":[],"postExamples":[],"topics":[],"adjectives":[],"clients":[],"plugins":[],"style":{"all":[],"chat":[],"post":[]}}`
	if err := os.WriteFile(character, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "../scripts/start.sh", "--character", character, "--addr", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data"))
	cmd.Env = append(os.Environ(), "SGX=", "TEAPOT_PLATFORM=simulator")
	out := &watcher{want: "serving", found: make(chan struct{})}
	cmd.Stderr = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-out.found:
	case <-ctx.Done():
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("a clean stop: %v", err)
	}
	if text := out.text(); !strings.Contains(text, "NO TEE") || !strings.Contains(text, "SIMULATED") || !strings.Contains(text, "agent      X") {
		t.Errorf("%s", text)
	}
}
