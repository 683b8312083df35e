//go:build linux

package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

const diskToken = "token-of-the-full-disk-test-0123456789"

// TestFullDiskLosesNothingAcknowledged fills a small file system through the sidecar's API until the process stops by itself with the
// reason, makes room, starts again, and finds every acknowledged entry.
func TestFullDiskLosesNothingAcknowledged(t *testing.T) {
	bin := binary(t)
	data := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size=6m"); err != nil {
		t.Skipf("a small file system cannot be mounted here (needs root): %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(data, syscall.MNT_DETACH) })

	p := sidecar(t, bin, data)
	acknowledged := fill(t, p)
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() <= 0 || !strings.Contains(p.out.text(), "no space left") {
		t.Errorf("the process did not stop with the reason: %v\n%s", err, p.out.text())
	}
	if acknowledged == 0 {
		t.Fatal("nothing was acknowledged before the disk was full")
	}
	if err := syscall.Mount("tmpfs", data, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	p = sidecar(t, bin, data)
	for i := range acknowledged {
		body := get(t, fmt.Sprintf("%s/v1/agents/%s/entries/%d", p.url, p.agent, i+1)) // entry 0 is the boot leaf
		if !bytes.Contains(body, []byte(`"app/fill"`)) {
			t.Fatalf("entry %d was acknowledged and is gone: %.200s", i+1, body)
		}
	}
	p.stop(t)
}

type process struct {
	cmd        *exec.Cmd
	out        *watcher
	url, agent string
}

func sidecar(t *testing.T, bin, data string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	t.Cleanup(cancel)
	p := &process{cmd: exec.CommandContext(ctx, bin, "serve", "--addr", "127.0.0.1:0", "--data", data), out: &watcher{want: "check it", found: make(chan struct{})}}
	p.cmd.Env = append(os.Environ(), "TEAPOT_PLATFORM=simulator", "TEAPOT_TOKEN="+diskToken, "TEE_MODE=")
	p.cmd.Stderr = p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.out.found:
	case <-ctx.Done():
		t.Fatalf("did not start:\n%s", p.out.text())
	}
	p.url = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(p.out.text())
	var index struct{ Agents []struct{ ID string } }
	if err := json.Unmarshal(get(t, p.url+"/v1/"), &index); err != nil || len(index.Agents) != 1 {
		t.Fatalf("%+v, %v", index, err)
	}
	p.agent = index.Agents[0].ID
	return p
}

// append writes one entry with this content. An error means that the process is going down.
func (p *process) append(t *testing.T, content string) (status int, answer []byte, err error) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"type": "app/fill", "content": content})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/v1/agents/"+p.agent+"/entries", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+diskToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	return resp.StatusCode, drain(t, resp), nil
}

func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("a clean stop: %v\n%s", err, p.out.text())
	}
}

// fill appends until the log refuses, and returns how many entries were acknowledged.
func fill(t *testing.T, p *process) (acknowledged int) {
	t.Helper()
	content := strings.Repeat("x", 64<<10)
	for range 1000 {
		status, answer, err := p.append(t, content)
		if err != nil {
			return acknowledged // the process is going down
		}
		if status/100 != 2 {
			if acknowledged == 0 {
				t.Fatalf("%d %s", status, answer)
			}
			return acknowledged
		}
		acknowledged++
	}
	t.Fatal("the disk never filled")
	return 0
}
