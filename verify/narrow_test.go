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

// An honest answer to a narrow question, over several starts: the entries before a boot leaf are left out, and nothing is wrong.
func TestNarrowQuestionsOverSeveralStarts(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		p := begin(t, dir)
		p.talk(t, 4)
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	p := begin(t, dir)
	p.talk(t, 4)
	for name, w := range map[string]tlog.Window{
		"whole":           {},
		"a range":         {From: 3, To: 6},
		"the end":         {From: 30},
		"beyond the end":  {From: 1000},
		"one of the end":  {From: 35},
		"a type":          {Types: []string{"message"}},
		"boot leaves":     {Types: []string{"boot"}},
		"a type in range": {From: 10, To: 20, Types: []string{"reply"}},
	} {
		in := p.look(t)
		in.Logs[0].From, in.Logs[0].To = w.From, w.To
		if len(w.Types) > 0 {
			in.Logs[0].Type = w.Types[0]
		}
		in.Logs[0].Bundle = bytes.NewReader(p.bundle(t, actionlog.Extract{Window: w, Contents: true}))
		if r := appraise(t, in, simulated()); r.Exit != 0 {
			t.Errorf("%s: %s\n%s", name, r.Headline, text(r))
		}
		file := p.bundle(t, actionlog.Extract{Window: w, Contents: true})
		if !met(t, file) {
			t.Errorf("%s, as a file: not met", name)
		}
	}
}
