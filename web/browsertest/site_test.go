//go:build browser

package browsertest

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// agent is a real bin/teapot with a simulated TEE and the built-in character.
type agent struct {
	url, data, token, id string
	stop                 func()
}

// site is the address of one agent that all tests may read from.
func site(t *testing.T) string {
	t.Helper()
	a, err := sharedAgent()
	if err != nil {
		t.Fatal(err)
	}
	return a.url
}

var sharedAgent = sync.OnceValues(func() (*agent, error) {
	dir, err := os.MkdirTemp("", "teapot-pages")
	if err != nil {
		return nil, err
	}
	a, err := start(dir, "127.0.0.1:0")
	if err == nil {
		previous := stopBrowser
		stopBrowser = func() { previous(); a.stop(); _ = os.RemoveAll(dir) }
	}
	return a, err
})

// own starts an agent for one test.
func own(t *testing.T) *agent {
	t.Helper()
	return at(t, t.TempDir(), "127.0.0.1:0")
}

// at starts an agent on a data directory and an address.
func at(t *testing.T, data, addr string) *agent {
	t.Helper()
	a, err := start(data, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.stop)
	return a
}

// start runs bin/teapot and waits until it says where it serves.
func start(data, addr string, more ...string) (*agent, error) {
	binary, err := filepath.Abs(filepath.Join(root, "bin", "teapot"))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, append([]string{"run", "--addr", addr, "--data", data}, more...)...)
	cmd.Dir = os.TempDir()
	cmd.Env = append(os.Environ(),
		"TEAPOT_PCCS_URL=http://127.0.0.1:1", // nobody is there: no test asks Intel
		"TEAPOT_PLATFORM=simulator")          // whatever another test of this machine has mounted at /dev/attestation
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w (make build first)", err)
	}
	a := &agent{data: data, stop: sync.OnceFunc(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() })}
	if err := a.greet(stderr); err != nil {
		a.stop()
		return nil, err
	}
	token, err := os.ReadFile(filepath.Join(data, "token"))
	a.token = strings.TrimSpace(string(token))
	return a, err
}

// greet reads the banner; what follows is drained so that the agent never waits for us.
func (a *agent) greet(stderr io.Reader) error {
	lines := bufio.NewScanner(stderr)
	var said []string
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		said = append(said, lines.Text())
		switch {
		case len(words) == 3 && words[0] == "agent":
			a.id = words[2]
		case len(words) == 2 && words[0] == "serving":
			a.url = words[1]
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return a.ready()
		}
	}
	return fmt.Errorf("teapot run ended:\n%s", strings.Join(said, "\n"))
}

func (a *agent) ready() error {
	deadline := time.Now().Add(10 * time.Second)
	for {
		resp, err := http.Get(a.url + "/v1/")
		if err == nil {
			_ = resp.Body.Close()
			return nil
		}
		if time.Now().After(deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}
