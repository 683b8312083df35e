package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBannerSaysWhereTheGuestAPIIs(t *testing.T) {
	config := filepath.Join(t.TempDir(), "teapot.toml")
	if err := os.WriteFile(config, []byte("version = 1\n[[guest]]\nname = \"app\"\nmethods = [\"Info\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		flags   []string
		says    string
		sockets int
	}{
		"no guest in the configuration": {nil, "dstack.sock for app", 2}, // --guest-dir asks for the usual one
		"one guest":                     {[]string{"--config", config}, "dstack.sock for app", 2},
	} {
		dir, err := os.MkdirTemp("", "g") // short: the path of a unix socket may have 107 bytes
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		s := launch(t, t.TempDir(), append([]string{"--guest-dir", dir}, c.flags...)...)
		found, err := filepath.Glob(filepath.Join(dir, "[dt]*.sock"))
		if err != nil || len(found) != c.sockets || !strings.Contains(s.log.String(), c.says) {
			t.Errorf("%s: sockets %q, %v\n%s", name, found, err, s.log.String())
		}
		if _, err := os.Stat(filepath.Join(dir, "log.sock")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
