package verify_test

import (
	"bytes"
	"testing"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/tlog"
)

// TestAnswerToAnotherQuestionIsNoticed has a server that was asked for the whole log and answers, with a genuine bundle, something
// narrower: every hash and signature in it holds.
func TestAnswerToAnotherQuestionIsNoticed(t *testing.T) {
	p := begin(t, t.TempDir())
	p.talk(t, 4)
	for name, x := range map[string]actionlog.Extract{
		"only a type":      {Window: tlog.Window{Types: []string{"message"}}, Contents: true},
		"a type never was": {Window: tlog.Window{Types: []string{"never"}}, Contents: true},
		"only the end":     {Window: tlog.Window{From: 6}, Contents: true},
		"only a time":      {Window: tlog.Window{Since: 1 << 52}, Contents: true},
	} {
		in := p.look(t)
		in.Logs[0].Bundle = bytes.NewReader(p.bundle(t, x))
		r := appraise(t, in, simulated())
		wantFailed(t, r, "entries.complete")
		if r.Exit == 0 {
			t.Errorf("%s: %s", name, text(r))
		}
	}
	in := p.look(t)
	in.Logs[0].Bundle, in.Logs[0].Contents = bytes.NewReader(p.bundle(t, actionlog.Extract{})), true
	if c := wantFailed(t, appraise(t, in, simulated()), "entries.withheld"); c.Outcome != appraisal.Failed {
		t.Error("contents that were asked for are missing, and nobody noticed")
	}
}
