package actionlog_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/tlog"
)

func contentState(t *testing.T, l *actionlog.Log, i uint64) actionlog.Item {
	t.Helper()
	it, err := l.Entry(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	return it
}

func TestErasureDestroysAndSurvivesRestarts(t *testing.T) {
	dir := t.TempDir()
	s, l := storyLog(t, dir)
	keys := filepath.Join(dir, "logs", agentID+"-0", "00000001.keys")
	before, err := os.ReadFile(keys)
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.Erase(t.Context(), actionlog.Erasure{Targets: []uint64{1}, Requester: tlog.RequesterOperator, Reason: "court order"})
	if err != nil {
		t.Fatal(err)
	}
	leaf := checkProof(t, l, p, bootOf(1))
	if leaf.Erased == nil || leaf.Erased.Targets[0] != (tlog.Target{Index: 1, Type: "message"}) || leaf.Erased.Reason != "court order" {
		t.Fatalf("erasure leaf %+v", leaf.Erased)
	}
	check := func(l *actionlog.Log) {
		t.Helper()
		if it := contentState(t, l, 1); it.State != actionlog.ContentErased || it.ErasedBy != p.Index || it.Addendum != nil {
			t.Fatalf("entry 1 is %s by %d", it.State, it.ErasedBy)
		}
		if it := contentState(t, l, 5); it.State != actionlog.ContentShown || string(it.Content.Content) != "hello" {
			t.Fatalf("a neighbour of an erased entry is %s %q", it.State, it.Content.Content)
		}
	}
	check(l)
	s.Close()
	s = openStore(t, storeOptions(dir))
	l = openLog(t, s)
	check(l)
	s.Close()

	// A crash between the erasure leaf and the new keys looks like the old key file: the next start finishes the job.
	if err := os.WriteFile(keys, before, 0o600); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, storeOptions(dir))
	defer s.Close()
	check(openLog(t, s))
	after, err := os.ReadFile(keys)
	if err != nil || string(after) == string(before) {
		t.Fatal("the old content keys are still in place")
	}
}

func TestErasureInTheOpenSegment(t *testing.T) {
	s := openStore(t, storeOptions(t.TempDir()))
	defer s.Close()
	l := openLog(t, s)
	boot(t, l, 0)
	story(t, l)
	for round := range 3 {
		target := uint64(1 + 4*round)
		if _, err := l.Erase(t.Context(), actionlog.Erasure{Targets: []uint64{target}, Requester: tlog.RequesterUser, User: "user of room", Reason: "asked"}); err != nil {
			t.Fatal(err)
		}
		if it := contentState(t, l, target); it.State != actionlog.ContentErased {
			t.Fatalf("entry %d is %s", target, it.State)
		}
		p := appendOne(t, l, message("room", "after"))
		if it := contentState(t, l, p.Index); it.State != actionlog.ContentShown {
			t.Fatalf("entry %d after an erasure is %s", p.Index, it.State)
		}
	}
}

func TestWhatCannotBeErased(t *testing.T) {
	s := openStore(t, storeOptions(t.TempDir()))
	defer s.Close()
	l := openLog(t, s)
	boot(t, l, 0)
	story(t, l) // 1 message, 2 intent, 3 result, 4 reply, …
	size := l.Size()
	for name, e := range map[string]actionlog.Erasure{
		"a boot leaf":        {Targets: []uint64{0}, Requester: tlog.RequesterOperator, Reason: "x"},
		"an intent":          {Targets: []uint64{2}, Requester: tlog.RequesterOperator, Reason: "x"},
		"a result":           {Targets: []uint64{1, 3}, Requester: tlog.RequesterOperator, Reason: "x"},
		"by the agent":       {Targets: []uint64{1}, Requester: tlog.RequesterAgent, Reason: "x"},
		"by another user":    {Targets: []uint64{1}, Requester: tlog.RequesterUser, User: "somebody", Reason: "x"},
		"by an unnamed user": {Targets: []uint64{1}, Requester: tlog.RequesterUser, Reason: "x"},
		"without a reason":   {Targets: []uint64{1}, Requester: tlog.RequesterOperator},
		"nothing":            {Requester: tlog.RequesterOperator, Reason: "x"},
	} {
		var no *actionlog.NotErasable
		if _, err := l.Erase(t.Context(), e); !errors.As(err, &no) || no.Next == "" {
			t.Errorf("%s: %v (%+v)", name, err, no)
		}
	}
	if _, err := l.Erase(t.Context(), actionlog.Erasure{Targets: []uint64{999}, Requester: tlog.RequesterOperator, Reason: "x"}); !errors.Is(err, actionlog.ErrNotFound) {
		t.Errorf("an entry that is not there: %v", err)
	}
	if l.Size() != size {
		t.Error("a refused erasure left an entry")
	}
}
