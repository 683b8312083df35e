package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// stage is the machine the story plays on.
type stage struct {
	binary, dir, data, addr string
	server                  *exec.Cmd
	stderr                  *bytes.Buffer
	steps, wrong            int
}

// look is what one run of verify said.
type look struct {
	exit int
	text string
}

func newStage(binary, dir string) *stage {
	return &stage{binary: binary, dir: dir, data: filepath.Join(dir, "data"), addr: freeAddr()}
}

// freeAddr is a loopback address nobody listens on now.
func freeAddr() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:3479"
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *stage) url() string { return "http://" + s.addr }

func (s *stage) title(text string) { fmt.Printf("\n== %s\n", text) }

func (s *stage) command(args ...string) *exec.Cmd {
	cmd := exec.Command(s.binary, args...)
	cmd.Env = append(os.Environ(), "TEAPOT_STATE="+filepath.Join(s.dir, "reader"), "TEAPOT_PLATFORM=simulator")
	return cmd
}

// start runs the agent and waits until it answers.
func (s *stage) start() {
	s.server = s.command("run", "--addr", s.addr, "--data", s.data)
	s.stderr = &bytes.Buffer{}
	s.server.Stderr = s.stderr
	if err := s.server.Start(); err != nil {
		s.fatal(err)
	}
	for range 200 {
		if resp, err := http.Get(s.url() + "/v1/"); err == nil {
			resp.Body.Close()
			fmt.Printf("   teapot run --data %s\n", s.data)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.fatal(fmt.Errorf("the agent does not answer:\n%s", s.stderr))
}

func (s *stage) stop() {
	if s.server == nil {
		return
	}
	_ = s.server.Process.Signal(syscall.SIGTERM) // it may be gone already
	_ = s.server.Wait()                          // its exit code is looked at where it matters
	s.server = nil
}

// refused starts the agent on a disk that must not be accepted and shows why it was not.
func (s *stage) refused(what string) {
	out, err := s.command("run", "--addr", s.addr, "--data", s.data).CombinedOutput()
	var exit *exec.ExitError
	code := 0
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	reason := lineWith(string(out), "error:")
	s.judge(what+": the start is refused, naming the file", code != 0 && code != -1 && strings.Contains(reason, ".segment"), fmt.Sprintf("exit %d: %s", code, reason))
}

func (s *stage) say(text string) {
	agent := s.agent()
	body, err := json.Marshal(map[string]string{"text": text, "userName": "demo"})
	if err != nil {
		s.fatal(err)
	}
	resp, err := http.Post(s.url()+"/"+agent+"/message", "application/json", bytes.NewReader(body))
	if err != nil {
		s.fatal(err)
	}
	defer resp.Body.Close()
	var answer []struct {
		Text    string          `json:"text"`
		Receipt json.RawMessage `json:"receipt"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || len(answer) == 0 {
		s.fatal(fmt.Errorf("message answered %d: %w", resp.StatusCode, err))
	}
	fmt.Printf("   you:   %s\n   agent: %s\n", text, strings.ReplaceAll(answer[0].Text, "\n", " "))
	s.judge("the answer carries a receipt", len(answer[0].Receipt) > 0, fmt.Sprintf("%d bytes", len(answer[0].Receipt)))
}

func (s *stage) agent() string {
	resp, err := http.Get(s.url() + "/v1/")
	if err != nil {
		s.fatal(err)
	}
	defer resp.Body.Close()
	var index struct{ Agents []struct{ ID string } }
	if err := json.NewDecoder(resp.Body).Decode(&index); err != nil || len(index.Agents) == 0 {
		s.fatal(fmt.Errorf("no agent: %w", err))
	}
	return index.Agents[0].ID
}

func (s *stage) verify(target string, flags ...string) look {
	out, err := s.command(append([]string{"verify", target}, flags...)...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.fatal(err)
	}
	l := look{text: string(out)}
	if exit != nil {
		l.exit = exit.ExitCode()
	}
	return l
}

// expect judges a look by its exit code and a word it must say, and shows the headline and what failed.
func (s *stage) expect(what string, l look, exit int, word string) {
	ok := l.exit == exit && strings.Contains(l.text, word)
	s.judge(what, ok, fmt.Sprintf("exit %d: %s", l.exit, firstLine(l.text)))
	for _, line := range strings.Split(l.text, "\n") {
		if strings.HasPrefix(line, "  FAIL") {
			fmt.Println("      ", strings.Join(strings.Fields(line), " "))
		}
	}
	if !ok {
		fmt.Println(l.text)
	}
}

func (s *stage) judge(what string, ok bool, detail string) {
	s.steps++
	word := "as promised"
	if !ok {
		word = "WRONG"
		s.wrong++
	}
	fmt.Printf("   [%s] %s\n       %s\n", word, what, detail)
}

func (s *stage) fatal(err error) {
	fmt.Fprintln(os.Stderr, "demo: the story cannot go on:", err)
	s.stop()
	os.Exit(2)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

func lineWith(text, word string) string {
	for _, line := range strings.Split(text, "\n") {
		if strings.Contains(line, word) {
			return line
		}
	}
	return firstLine(text)
}

// readAll reads a bounded body.
func readAll(r io.Reader) []byte {
	b, _ := io.ReadAll(io.LimitReader(r, 64<<20)) // a cut body is judged by verify
	return b
}
