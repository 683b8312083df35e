//go:build linux

package deploy

import (
	"bufio"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestALiveStreamDoesNotHoldTheStop: a container engine kills after ten seconds, so a reader of the live log must not keep the process.
func TestALiveStreamDoesNotHoldTheStop(t *testing.T) {
	p := sidecar(t, binary(t), filepath.Join(t.TempDir(), "data"))
	resp, err := http.Get(p.url + "/v1/agents/" + p.agent + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil || !strings.Contains(line, "teapot") {
		t.Fatalf("the stream says %q, %v", line, err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("a clean stop: %v", err)
		}
	case <-time.After(8 * time.Second): // below the server's own limit of ten seconds, which would end the stream by force
		t.Error("the open stream holds the process")
	}
}
