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

// TestArgumentsEnterTheManifest plays Gramine's two commands: what is measured is what was asked for, with every named file trusted.
func TestArgumentsEnterTheManifest(t *testing.T) {
	binary(t)
	work := t.TempDir()
	for name, text := range map[string]string{
		"bin/gramine-manifest": "#!/bin/sh\ncp \"$1\" \"$2\"\n", "bin/gramine-direct": "#!/bin/sh\ncat \"$1.manifest\"\n",
		"x.json": "{}", "operator.key.pub": "{}",
	} {
		path := filepath.Join(work, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	character, recovery := filepath.Join(work, "x.json"), filepath.Join(work, "operator.key.pub")
	cmd := exec.CommandContext(t.Context(), "../scripts/start.sh", "--character", character, "--recovery-key="+recovery)
	cmd.Env = append(os.Environ(), "SGX=", "PASS_ENV=OPENAI_API_KEY TEAPOT_TOKEN", "PATH="+filepath.Join(work, "bin")+":"+os.Getenv("PATH"), "TEAPOT_SGX_DIR="+filepath.Join(work, "state"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"loader.env.OPENAI_API_KEY = { passthrough = true }", "loader.env.TEAPOT_TOKEN = { passthrough = true }", "NO TEE: running under gramine-direct", "strict: nothing refused",
		`loader.argv = ["teapot", "run", "--addr", "127.0.0.1:3000", "--character", "` + character + `", "--recovery-key=` + recovery + `"]`,
		"sgx.trusted_files", `  "file:` + character + `",`, `  "file:` + recovery + `",`,
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("not there: %s\n%s", want, out)
		}
	}
}
