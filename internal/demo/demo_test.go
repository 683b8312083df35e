package main

import (
	"testing"

	"github.com/teapot-tee/teapot/internal/need"
)

// TestTheWholeStory plays the demo with the binary that `make build` made.
func TestTheWholeStory(t *testing.T) {
	s := newStage(need.File(t, "../../bin/teapot"), t.TempDir())
	t.Cleanup(s.stop)
	s.play()
	if s.wrong > 0 || s.steps < 13 {
		t.Errorf("%d of %d steps went wrong", s.wrong, s.steps)
	}
}
