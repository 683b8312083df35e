// Package need says in one place what a missing tool means to a test: a skip on somebody's machine, a failure in CI (variable CI set),
// because scripts/deps.sh installs every tool there. It trusts nothing.
package need

import (
	"os"
	"os/exec"
	"testing"
)

// Tool returns the path of a program.
func Tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name)
	}
	return path
}

// File returns the path of a file that scripts/deps.sh or make build makes.
func File(t *testing.T, path string) string {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		missing(t, path)
	}
	return path
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing, and in CI a missing tool is a failure: make deps build", what)
	}
	t.Skipf("%s is missing: make deps build", what)
}
