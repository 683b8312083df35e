package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// command runs one command line in process.
func command(t *testing.T, line ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, err bytes.Buffer
	code = execute(t.Context(), line, &out, &err)
	return out.String(), err.String(), code
}

const publishedExample = `{"allowed_envs":["OPENAI_API_KEY"],"docker_compose_file":"services:\n  agent:\n    image: ghcr.io/acme/agent@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n    volumes:\n      - /var/run/dstack.sock:/var/run/dstack.sock\n","gateway_enabled":true,"key_provider_id":"","kms_enabled":true,"local_key_provider_enabled":false,"manifest_version":2,"name":"teapot-demo","no_instance_id":false,"pre_launch_script":"","public_logs":true,"public_sysinfo":true,"public_tcbinfo":true,"runner":"docker-compose","secure_time":false}`

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMeasureOfThePublishedExample(t *testing.T) {
	out, _, code := command(t, "measure", writeFile(t, "app-compose.json", publishedExample), "--json", "--strict")
	if code != 0 {
		t.Fatalf("exit %d", code)
	}
	var m measurement
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		t.Fatal(err)
	}
	if m.ComposeHash != "b141bafc5be8f4a04156a269139b7345a4439fa5ca77460117c1f737940b7960" || m.AppID != m.ComposeHash[:40] || m.KeyProvider != "kms" || !m.AllowList {
		t.Errorf("%+v", m)
	}
	if !strings.Contains(strings.Join(m.Unmeasured, "\n"), "OPENAI_API_KEY") {
		t.Errorf("unmeasured %q", m.Unmeasured)
	}
}

func TestMeasureExplains(t *testing.T) {
	out, _, code := command(t, "measure", writeFile(t, "a.json", publishedExample))
	if code != 0 {
		t.Fatalf("exit %d", code)
	}
	for _, want := range []string{"compose hash", "b141bafc", "app id", "unmeasured", "OPENAI_API_KEY", "not predicted", "compose.images"} {
		if !strings.Contains(out, want) {
			t.Errorf("the text has no %q", want)
		}
	}
	out, _, _ = command(t, "measure")
	if !strings.Contains(out, "SIMULATED") {
		t.Error("the simulator's registers are not called simulated")
	}
}

func TestMeasureOutsideTheAllowList(t *testing.T) {
	path := writeFile(t, "a.json", strings.Replace(publishedExample, "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", ":latest", 1))
	if _, _, code := command(t, "measure", path); code != 0 {
		t.Errorf("computing the values must work: exit %d", code)
	}
	if out, _, code := command(t, "measure", path, "--strict"); code != 1 || !strings.Contains(out, "failed") {
		t.Errorf("exit %d", code)
	}
}

func TestMeasureBadInput(t *testing.T) {
	for name, c := range map[string]struct {
		line []string
		code int
	}{
		"missing file":   {[]string{"measure", "/nonexistent"}, 2},
		"not JSON":       {[]string{"measure", writeFile(t, "x", "services: {}")}, 2},
		"two files":      {[]string{"measure", "a", "b"}, 64},
		"unknown flag":   {[]string{"measure", "--x"}, 64},
		"short instance": {[]string{"measure", "--instance-id", "00"}, 64},
	} {
		_, stderr, code := command(t, c.line...)
		if code != c.code || !strings.HasPrefix(stderr, "teapot: error: ") {
			t.Errorf("%s: exit %d, %q", name, code, stderr)
		}
	}
}
