package verify_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/verify"
)

// A reader who goes on from what was verified sees a weaker start as well as one who looks for the first time.
func TestWeakerStartIsNoticedAtTheSecondLook(t *testing.T) {
	dir := t.TempDir()
	p := begin(t, dir)
	first := appraise(t, p.look(t), simulated())
	wantMet(t, first)
	size := p.log(t).Size()
	again := func(requesters ...string) verify.Input {
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		p = begin(t, dir, func(c *boot.Config) { c.Policies.Erasure.Requesters = requesters })
		in := p.look(t, first.Remember...)
		in.Logs[0].Bundle = bytes.NewReader(p.bundle(t, actionlog.Extract{Base: size}))
		return in
	}
	wantMet(t, appraise(t, again(), simulated()))
	weaker := wantFailed(t, appraise(t, again("operator"), simulated()), "lineage.policy")
	if !strings.Contains(weaker.Detail, "operator may now have content erased") {
		t.Fatal(weaker.Detail)
	}
	in := p.look(t, first.Remember...)
	list := records(t, p.bundle(t, actionlog.Extract{Base: size}))
	for i, r := range list {
		if r.kind == 3 { // the oldest evidence, of the start that was open at the base
			in.Logs[0].Bundle = bytes.NewReader(assemble(append(list[:i:i], list[i+1:]...)))
			break
		}
	}
	wantFailed(t, appraise(t, in, simulated()), "lineage.policy")
}

// What a lax policy accepted is no ground for a strict one.
func TestMemoryOfAnotherPolicyIsNotTakenOver(t *testing.T) {
	p := begin(t, t.TempDir())
	lax := simulated()
	lax.Lineage.AcceptWeaker = true
	seen := appraise(t, p.look(t), lax)
	wantMet(t, seen)
	short, _ := p.receipts(t)
	wantMet(t, appraise(t, receiptInput(short, seen.Remember...), lax))
	r := appraise(t, receiptInput(short, seen.Remember...), simulated())
	if c := r.Find("signature.checkpoint"); r.Exit == 0 || c.Outcome != appraisal.NotChecked {
		t.Fatalf("exit %d: %s", r.Exit, text(r))
	}
	in := p.look(t, seen.Remember...)
	in.Logs[0].Bundle = bytes.NewReader(p.bundle(t, actionlog.Extract{Base: 1}))
	if _, err := verify.Appraise(in, simulated(), time.Now()); err == nil {
		t.Fatal("went on from a walk that another policy accepted")
	}
}

// A bundle that breaks off the walk is a failed check also where there is something to go on from.
func TestBrokenBundleAtTheSecondLook(t *testing.T) {
	p := begin(t, t.TempDir())
	first := appraise(t, p.look(t), simulated())
	wantMet(t, first)
	p.talk(t, 4)
	list := records(t, p.bundle(t, actionlog.Extract{Base: 1}))
	for i, r := range list {
		if r.kind == 7 { // at index 1 no subtree of two entries can stand
			list = append(append(list[:i:i], record{8, append([]byte{1}, make([]byte, 32)...)}), list[i+2:]...)
			break
		}
	}
	in := p.look(t, first.Remember...)
	in.Logs[0].Bundle = bytes.NewReader(assemble(list))
	r, err := verify.Appraise(in, simulated(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	wantFailed(t, r, "consistency.root")
}
