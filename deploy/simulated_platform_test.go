package deploy

import (
	"bytes"
	"context"
	"encoding/hex"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestOnlyThePlatformsSocketSpeaksAsTeapot is what deploy/compose/simulator.yaml does, without containers: the simulator quotes Teapot's
// statements on one socket, refuses them on its network address, and the agent on that socket verifies.
func TestOnlyThePlatformsSocketSpeaksAsTeapot(t *testing.T) {
	bin, work := binary(t), t.TempDir()
	socket := filepath.Join(work, "platform.sock")
	out := started(t, exec.CommandContext(t.Context(), bin, "simulate", "--addr", "127.0.0.1:0", "--platform-socket", socket, "--data", filepath.Join(work, "simulator")), "listening "+socket)
	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(out.text())

	cmd := exec.CommandContext(t.Context(), bin, "run", "--addr", "127.0.0.1:0", "--data", filepath.Join(work, "agent"))
	cmd.Env = append(os.Environ(), "TEE_MODE=DOCKER", "DSTACK_SIMULATOR_ENDPOINT="+socket, "WALLET_SECRET_SALT=salt", "TEAPOT_PLATFORM=")
	agent := started(t, cmd, "check it")
	url := regexp.MustCompile(`check it +teapot verify (\S+)`).FindStringSubmatch(agent.text())[1]
	check := exec.CommandContext(t.Context(), bin, "verify", url, "--allow-simulated")
	check.Env = append(os.Environ(), "TEAPOT_STATE="+t.TempDir())
	if text, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}

	unix := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	defer unix.CloseIdleConnections()
	tagged := `{"report_data":"` + hex.EncodeToString(append([]byte("TEAPOT\x00\x01"), make([]byte, 56)...)) + `"}`
	key := `{"path":"teapot/log/25c1e1b0-4f3c-0b6e-9d59-2b6f7f8a9c10/0/ed25519"}`
	for method, body := range map[string]string{"/GetQuote": tagged, "/GetKey": key} {
		if status, answer := postJSON(t, unix, "http://platform"+method, body); status != http.StatusOK {
			t.Errorf("%s on the platform's socket: %d %s", method, status, answer)
		}
		if status, answer := postJSON(t, http.DefaultClient, address+method, body); status == http.StatusOK || !strings.Contains(answer, "reserved") {
			t.Errorf("%s on the network address: %d %s", method, status, answer)
		}
	}
}

// started starts a command, waits until it says want, and stops it with the test.
func started(t *testing.T, cmd *exec.Cmd, want string) *watcher {
	t.Helper()
	out := &watcher{want: want, found: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Signal(syscall.SIGTERM), cmd.Wait() }) // the test is over: how it ends is another test's
	select {
	case <-out.found:
	case <-time.After(time.Minute):
		t.Fatalf("%v did not say %q:\n%s", cmd.Args, want, out.text())
	}
	return out
}

func postJSON(t *testing.T, client *http.Client, url, body string) (int, string) {
	t.Helper()
	resp, err := client.Post(url, "application/json", bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(drain(t, resp))
}
