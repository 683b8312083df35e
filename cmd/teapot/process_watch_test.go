package main_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A watcher remembers every look, not only those that change the headline: what grew in between must not be taken back.
func TestWatchRemembersEveryLook(t *testing.T) {
	s := launch(t, t.TempDir())
	state := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	watcher := exec.CommandContext(ctx, binary(t), "verify", s.url, "--allow-simulated", "--watch=1s")
	watcher.Env = append(os.Environ(), "TEAPOT_STATE="+state)
	if err := watcher.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = watcher.Wait() // it was killed
	}()
	eventually(t, "the first look", func() bool { return strings.Contains(remembered(t, state), `"size":1,`) })
	s.say(t, 6)
	eventually(t, "the grown log", func() bool { return strings.Contains(remembered(t, state), `"size":7,`) })
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 100 {
		if is() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("never remembered: %s", what)
}

// remembered is everything that stands in a reader's memory.
func remembered(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Log(err) // a file replaced while walking; the next look at it is another one
	}
	return all.String()
}
