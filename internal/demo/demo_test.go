package main

import (
	"os"
	"testing"
)

// TestTheWholeStory plays the demo with the binary that `make build` made.
func TestTheWholeStory(t *testing.T) {
	const binary = "../../bin/teapot"
	if _, err := os.Stat(binary); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no binary in CI: %v", err)
		}
		t.Skip("bin/teapot is not built: make build")
	}
	s := newStage(binary, t.TempDir())
	t.Cleanup(s.stop)
	s.play()
	if s.wrong > 0 || s.steps < 13 {
		t.Errorf("%d of %d steps went wrong", s.wrong, s.steps)
	}
}
