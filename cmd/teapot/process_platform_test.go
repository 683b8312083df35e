package main_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestASimulatorOfAnotherPlatformIsSimulatedEverywhere: over its socket a simulator is a dstack guest agent, and what it makes is
// SIMULATED wherever this process speaks of itself: index, metrics and banner.
func TestASimulatorOfAnotherPlatformIsSimulatedEverywhere(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "platform.sock")
	simulator := exec.Command(binary(t), "simulate", "--addr", "", "--platform-socket", socket)
	if err := simulator.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = simulator.Process.Signal(syscall.SIGTERM)
		_ = simulator.Wait() // its own tests judge how it stops
	})
	awaitSocket(t, socket)
	for name, value := range map[string]string{"DSTACK_SIMULATOR_ENDPOINT": socket, "TEAPOT_PLATFORM": "", "TEE_MODE": "", "SGX": ""} {
		t.Setenv(name, value)
	}
	s := launch(t, filepath.Join(dir, "data"))
	resp, err := http.Get(s.url + "/v1/")
	if err != nil {
		t.Fatal(err)
	}
	var index struct {
		Platform  string
		Simulated bool
	}
	err = json.NewDecoder(resp.Body).Decode(&index)
	_ = resp.Body.Close()
	if err != nil || index.Platform != "dstack-tdx" || !index.Simulated {
		t.Errorf("GET /v1/: %+v, %v", index, err)
	}
	token, err := os.ReadFile(filepath.Join(s.data, "token"))
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/metrics", nil)
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	if resp, err = http.DefaultClient.Do(req); err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || !strings.Contains(string(body), "teapot_simulated 1") {
		t.Errorf("GET /metrics: %d %.300s, %v", resp.StatusCode, body, err)
	}
	if !strings.Contains(s.log.String(), "SIMULATED") {
		t.Errorf("the banner: %s", s.log.String())
	}
}

func awaitSocket(t *testing.T, path string) {
	t.Helper()
	for range 300 {
		if c, err := net.Dial("unix", path); err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("nobody listens on %s", path)
}
