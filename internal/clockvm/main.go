//go:build linux

// Command clockvm is the init of a virtual machine whose clock may be broken: it runs the real teapot binary there, sets the machine's wall
// clock forward and back while it serves, kills it, and has the log verified. scripts/clock-proof.sh boots it in QEMU.
//
// It sets the clock of whatever it runs on, so it refuses to be anything but process 1 of a kernel that was booted for it: the first
// process of a container is process 1 too, and the clock there is everybody's.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

const (
	address = "127.0.0.1:3000"
	token   = "token-of-the-clock-test-0123456789"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "clockvm: error: not process 1: this program sets the clock of the machine it runs on")
		os.Exit(64)
	}
	if err := prove(); err != nil {
		fmt.Println("CLOCK PROOF FAILED:", err)
	} else {
		fmt.Println("CLOCK PROOF OK")
	}
	_ = syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF) // nothing is left to tell anybody
}

// prove appends before and after jumps of the wall clock, in one start and over kills, and verifies the whole log at the true time.
func prove() error {
	if err := errors.Join(machine(), own()); err != nil {
		return err
	}
	day := 24 * time.Hour
	var acknowledged int
	for _, jump := range []struct {
		name      string
		by        time.Duration
		afterKill bool
	}{
		{"no jump", 0, false},
		{"two days forward, serving", 2 * day, false},
		{"four days back, serving", -4 * day, false},
		{"one day forward, over kill -9", day, true},
		{"one day back, over kill -9", -day, true},
		{"back to the true time", 2 * day, false},
	} {
		n, err := step(jump.by, jump.afterKill, acknowledged)
		if err != nil {
			return fmt.Errorf("%s: %w", jump.name, err)
		}
		acknowledged = n
		fmt.Printf("clockvm: %s: %d entries acknowledged, all there, clock %s\n", jump.name, acknowledged, time.Now().UTC().Format(time.RFC3339))
	}
	if err := running.stop(syscall.SIGTERM); err != nil {
		return fmt.Errorf("SIGTERM: %w", err)
	}
	if err := running.start(); err != nil {
		return err
	}
	out, err := exec.Command("/teapot", "verify", "http://"+address, "--allow-simulated").CombinedOutput()
	fmt.Println(firstLines(string(out)))
	return errors.Join(err, running.stop(syscall.SIGTERM))
}

// machine mounts what a Go program wants and brings the loopback up.
func machine() error {
	for _, m := range []struct{ fs, at string }{{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/data"}} {
		if err := os.MkdirAll(m.at, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(m.fs, m.at, m.fs, 0, ""); err != nil && !errors.Is(err, syscall.EBUSY) {
			return fmt.Errorf("mounting %s: %w", m.at, err)
		}
	}
	return loopbackUp()
}

// own checks that this kernel was booted for this program: scripts/clock-proof.sh says so on its command line.
func own() error {
	line, err := os.ReadFile("/proc/cmdline")
	if err == nil && !slices.Contains(strings.Fields(string(line)), "clockvm.own") {
		err = errors.New("the kernel's command line has no clockvm.own: this machine's clock is somebody else's")
	}
	return err
}

// loopbackUp is SIOCSIFFLAGS with IFF_UP | IFF_RUNNING on lo (netdevice(7)).
func loopbackUp() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	var request [40]byte
	copy(request[:], "lo")
	request[16] = syscall.IFF_UP | syscall.IFF_RUNNING
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request[0])))
	if errno != 0 {
		return fmt.Errorf("bringing lo up: %w", errno)
	}
	return syscall.Close(fd)
}

// step moves the clock, appends three entries, and reads every entry that was ever acknowledged.
func step(by time.Duration, afterKill bool, acknowledged int) (int, error) {
	if afterKill {
		if err := running.stop(syscall.SIGKILL); err != nil {
			return 0, err
		}
	}
	now := time.Now().Add(by)
	if err := syscall.Settimeofday(&syscall.Timeval{Sec: now.Unix(), Usec: int64(now.Nanosecond() / 1000)}); err != nil {
		return 0, fmt.Errorf("setting the clock: %w", err)
	}
	if err := running.start(); err != nil {
		return 0, err
	}
	for range 3 {
		body := fmt.Sprintf(`{"type":"app/clock","content":"entry %d"}`, acknowledged)
		if _, err := running.ask(http.MethodPost, "/entries", body); err != nil {
			return 0, err
		}
		acknowledged++
	}
	page, err := running.ask(http.MethodGet, "/entries?limit=1000&type=app/clock", "")
	if err != nil {
		return 0, err
	}
	for i := range acknowledged {
		if !bytes.Contains(page, fmt.Appendf(nil, "entry %d\"", i)) {
			return 0, fmt.Errorf("entry %d was acknowledged and is gone: %.600s", i, page)
		}
	}
	return acknowledged, nil
}

func firstLines(text string) string {
	lines := strings.SplitN(text, "\n", 2)
	return "clockvm: verify: " + lines[0]
}

// running is the one teapot of this machine.
var running = &process{}

type process struct {
	cmd   *exec.Cmd
	agent string
}

// start starts it unless it runs, and waits until it answers.
func (p *process) start() error {
	if p.cmd != nil {
		return nil
	}
	p.cmd = exec.Command("/teapot", "serve", "--addr", address, "--data", "/data/teapot")
	p.cmd.Env = []string{"TEAPOT_PLATFORM=simulator", "TEAPOT_TOKEN=" + token, "HOME=/data"}
	p.cmd.Stderr = os.Stdout
	if err := p.cmd.Start(); err != nil {
		return err
	}
	for range 600 { // a minute by the monotonic clock, whatever the wall clock does
		if resp, err := http.Get("http://" + address + "/v1/"); err == nil {
			var index struct{ Agents []struct{ ID string } }
			err = errors.Join(json.NewDecoder(resp.Body).Decode(&index), resp.Body.Close())
			if err == nil && len(index.Agents) == 1 {
				p.agent = index.Agents[0].ID
				return nil
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("teapot did not start")
}

// stop ends it; SIGTERM must end it cleanly.
func (p *process) stop(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil {
		return err
	}
	err := p.cmd.Wait()
	p.cmd = nil
	if sig == syscall.SIGKILL {
		return nil // how it ended is known
	}
	return err
}

func (p *process) ask(method, path, body string) ([]byte, error) {
	req, err := http.NewRequest(method, "http://"+address+"/v1/agents/"+p.agent+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %d %.300s", method, path, resp.StatusCode, answer)
	}
	return answer, nil
}
