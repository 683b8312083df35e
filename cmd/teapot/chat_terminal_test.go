//go:build linux

package main_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal with a program on its other side.
type terminal struct {
	master *os.File
	out    lockedBuffer
	cmd    *exec.Cmd
}

func openTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	p := &terminal{master: master, cmd: exec.Command(binary(t), args...)}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = slave, slave, slave
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(&p.out, master) }() // ends with an error when the program is gone
	return p
}

// expect waits for a text in what came since the last one, and returns everything up to it.
func (p *terminal) expect(t *testing.T, text string) string {
	t.Helper()
	for range 600 {
		got := p.out.String()
		if _, after, found := strings.Cut(got, text); found {
			p.out.mu.Lock()
			p.out.b = *bytes.NewBufferString(strings.TrimPrefix(p.out.b.String(), strings.TrimSuffix(got, after)))
			p.out.mu.Unlock()
			return strings.TrimSuffix(got, after)
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("no %q in %q", text, p.out.String())
	return ""
}

func (p *terminal) say(t *testing.T, line string) string {
	t.Helper()
	if _, err := p.master.WriteString(line + "\n"); err != nil {
		t.Fatal(err)
	}
	return p.expect(t, "You: ")
}

// The terminal chat as a person sees it: prompt, colours, the streamed reply once, receipts on demand that verify.
func TestChatInATerminal(t *testing.T) {
	dir := t.TempDir()
	s := launchCommand(t, filepath.Join(dir, "data"), "run")
	p := openTerminal(t, "chat", s.url, "--room", "kitchen", "--user", "ada")
	if got := p.expect(t, "You: "); !strings.Contains(got, "\x1b[36;1m") || !strings.Contains(got, "Talking to Teapot") {
		t.Errorf("greeting %q", got)
	}
	secret := regexp.MustCompile(`[0-9a-f]{64}`).FindString(p.say(t, "My name is Ada"))
	if secret == "" {
		t.Error("the room's secret is not shown")
	}
	if got := p.say(t, "What is my name?"); !strings.Contains(got, "Your name is Ada") || !strings.Contains(got, "\x1b[32;1mTeapot: ") {
		t.Errorf("reply %q", got)
	}
	if got := p.say(t, "what is your wallet address?"); strings.Count(got, "These are my addresses") != 1 || !strings.Contains(got, "EVM: 0x") || !strings.Contains(got, "Solana: ") {
		t.Errorf("an action's reply: %q", got)
	}
	if got := p.say(t, "/receipt"); !strings.Contains(got, "receipt: entries ") {
		t.Errorf("receipt %q", got)
	}
	file := filepath.Join(dir, "receipt.json")
	if got := p.say(t, "/save "+file); !strings.Contains(got, "teapot verify") {
		t.Errorf("save %q", got)
	}
	if _, err := p.master.WriteString("EXIT\n"); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
	if v := (reader{t.TempDir()}).verify(t, file, "--allow-simulated"); v.Exit != 0 {
		t.Errorf("the saved receipt: %+v", v)
	}
	piped := func(args ...string) string {
		cmd := exec.Command(binary(t), append([]string{"chat", s.url, "--room", "kitchen"}, args...)...)
		cmd.Stdin = strings.NewReader("What is my name?\n")
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if got := piped("--user", "bob"); strings.Contains(got, "Ada") || strings.Contains(got, "\x1b") {
		t.Errorf("bob is told %q", got)
	}
	if got := piped("--user", "ada", "--room-secret", secret); got != "Teapot: Your name is Ada. You told me so, and it is in my log.\n" {
		t.Errorf("with the secret: %q", got)
	}
	if got := piped("--user", "ada"); strings.Contains(got, "Your name is Ada") {
		t.Errorf("by name into a closed room: %q", got)
	}
}
