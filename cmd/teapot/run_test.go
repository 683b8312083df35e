package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestNoCharacterComesOverTheNetwork(t *testing.T) {
	t.Setenv("REMOTE_CHARACTER_URLS", "http://127.0.0.1:1/x.json")
	_, stderr, code := command(t, "run", "--addr", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data"))
	if code != 2 || !strings.Contains(stderr, "REMOTE_CHARACTER_URLS") || !strings.Contains(stderr, "--character") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
}
