package deploy

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/internal/need"
)

// binary is bin/teapot as `make build` made it; in CI it must be there.
func binary(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../bin/teapot")
	if err != nil {
		t.Fatal(err)
	}
	return need.File(t, path)
}

// TestEveryCommandOfTheDeploymentPages runs each command in a page's sh blocks, or finds it marked with what it needs.
func TestEveryCommandOfTheDeploymentPages(t *testing.T) {
	bin := binary(t)
	pages, err := filepath.Glob("../docs/deploy/*.md")
	if err != nil || len(pages) < 5 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	work := t.TempDir()
	link(t, filepath.Dir(bin), filepath.Join(work, "bin"))
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	link(t, here, filepath.Join(work, "deploy"))
	ran := 0
	for _, page := range pages {
		for _, command := range commands(t, page) {
			if strings.Contains(command, "# needs:") {
				continue
			}
			ran++
			run(t, work, filepath.Base(page), command)
		}
	}
	if ran < 5 {
		t.Errorf("only %d commands were run", ran)
	}
}

func link(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Symlink(from, to); err != nil {
		t.Fatal(err)
	}
}

func commands(t *testing.T, page string) []string {
	t.Helper()
	f, err := os.Open(page)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []string
	inside := false
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```sh"
		case inside && strings.TrimSpace(line) != "":
			list = append(list, line)
		}
	}
	return list
}

func run(t *testing.T, dir, page, command string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TEAPOT_ADDR=127.0.0.1:0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %s: %v\n%s", page, command, err, out)
	}
}
