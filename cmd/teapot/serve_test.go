package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTheContainerBesideFindsItsSockets starts what `teapot deploy render --image` renders: no configuration, one directory.
func TestTheContainerBesideFindsItsSockets(t *testing.T) {
	dir, err := os.MkdirTemp("", "guest") // t.TempDir() is too long for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ctx, stop := context.WithCancel(t.Context())
	t.Setenv("TEAPOT_PLATFORM", "simulator")
	ended := make(chan int, 1)
	go func() {
		ended <- execute(ctx, []string{"serve", "--agent", "app", "--guest-dir", dir, "--addr", "127.0.0.1:0", "--data", filepath.Join(dir, "data")}, io.Discard, io.Discard)
	}()
	for name, path := range map[string]string{"dstack.sock": "/Info", "tappd.sock": "/prpc/Tappd.Info?json", "log.sock": "/v1/"} {
		socket := filepath.Join(dir, name)
		answer := askSocket(t, socket, path)
		if name != "log.sock" && strings.Contains(answer, "error") || !json.Valid([]byte(answer)) {
			t.Errorf("%s answers %s", name, answer)
		}
		if name == "log.sock" { // readers with Eliza's clients
			if rows := askSocket(t, socket, "/tee/agents"); !strings.Contains(rows, `"agentName":"app"`) || !strings.Contains(rows, `"proofs":[{`) {
				t.Errorf("/tee/agents answers %s", rows)
			}
		}
		if info, err := os.Stat(socket); err != nil || info.Mode().Perm()&0o006 != 0o006 {
			t.Errorf("%s: %v, %v: the other container has a user of its own", name, info.Mode(), err)
		}
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit %d", code)
	}
}

func askSocket(t *testing.T, socket, path string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		resp, err := client.Get("http://guest" + path)
		if err != nil {
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
			continue
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
}
