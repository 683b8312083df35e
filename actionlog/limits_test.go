package actionlog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/tlog"
)

// TestQueueIsBounded: a full queue is a clear error, and nothing that was accepted is dropped.
func TestQueueIsBounded(t *testing.T) {
	o := storeOptions(t.TempDir())
	o.Queue = 10
	s := openStore(t, o)
	defer s.Close()
	l := openLog(t, s)
	boot(t, l, 0)
	_, release, err := l.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	busy, done := 0, 0
	for range 30 {
		wg.Go(func() {
			_, err := l.Append(context.Background(), message("r", "x"))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, actionlog.ErrBusy):
				busy++
			case err == nil:
				done++
			default:
				t.Error(err)
			}
		})
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		mu.Lock()
		full := busy == 20
		mu.Unlock()
		if full || time.Now().After(deadline) {
			break
		}
	}
	b := bootOf(1)
	b.BootKey = bootOf(0).BootKey
	if _, err := l.Boot(t.Context(), b); err != nil {
		t.Errorf("the crowd kept the boot leaf out: %v", err)
	}
	release()
	wg.Wait()
	if busy != 20 || done != 10 || l.Size() != 12 {
		t.Errorf("%d busy, %d done, size %d; want 20, 10 and 12", busy, done, l.Size())
	}
}

// TestOneHoldsAtATime: a boot leaf passes the hold of whoever wrote it, never that of an erasure that rolls segments.
func TestOneHoldsAtATime(t *testing.T) {
	s := openStore(t, storeOptions(t.TempDir()))
	defer s.Close()
	l := openLog(t, s)
	boot(t, l, 0)
	_, release, err := l.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := l.Hold(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("two hold the log: %v", err)
	}
	release()
	release() // once is enough, twice does no harm
	for range 2 {
		_, release, err := l.Hold(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		release()
	}
}

// TestHoldLetsOnlyBootPass: a changed agent's boot leaf follows exactly the state that its part names.
func TestHoldLetsOnlyBootPass(t *testing.T) {
	s := openStore(t, storeOptions(t.TempDir()))
	defer s.Close()
	l := openLog(t, s)
	boot(t, l, 0)
	now, release, err := l.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 1)
	go func() {
		_, err := l.Append(context.Background(), message("r", "while held"))
		waiting <- err
	}()
	b := bootOf(1)
	b.BootKey = bootOf(0).BootKey
	p, err := l.Boot(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	leaf := checkProof(t, l, p, b)
	if leaf.Index != now.Size || leaf.Start.Root != now.Root || leaf.Boot != now.BootNumber {
		t.Errorf("boot leaf %+v does not follow %+v", leaf, now)
	}
	release()
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}
	if report := known(t, l); !report.OK() || len(report.Starts) != 2 {
		t.Errorf("%s", failures(report))
	}
}

// TestSlowSubscriberIsCutOff: never skipped over silently.
func TestSlowSubscriberIsCutOff(t *testing.T) {
	s := openStore(t, storeOptions(t.TempDir()))
	defer s.Close()
	l := openLog(t, s)
	boot(t, l, 0)
	slow, quick := l.Subscribe(t.Context()), l.Subscribe(t.Context())
	got := make(chan int)
	go func() {
		n := 0
		for range quick {
			if n++; n == 5000 {
				break
			}
		}
		got <- n
	}()
	for range 5 {
		batch := make([]actionlog.Entry, 1000)
		for i := range batch {
			batch[i] = actionlog.Entry{Type: "note", Source: tlog.SourceRuntime}
		}
		if _, err := l.Append(t.Context(), batch...); err != nil {
			t.Fatal(err)
		}
	}
	if n := <-got; n != 5000 {
		t.Errorf("the quick subscriber got %d", n)
	}
	next := uint64(1)
	for p := range slow {
		if p.Index != next {
			t.Fatalf("entry %d after %d", p.Index, next-1)
		}
		next++
	}
	if next == 1 || next > 4097 {
		t.Errorf("the slow subscriber got %d entries before it was cut off", next-1)
	}
}

// TestPagesAreBoundedInBytes: large contents do not pile up in memory.
func TestPagesAreBoundedInBytes(t *testing.T) {
	s := openStore(t, storeOptions(t.TempDir()))
	defer s.Close()
	l := openLog(t, s)
	boot(t, l, 0)
	big := bytes.Repeat([]byte("x"), 3<<20)
	for range 6 {
		appendOne(t, l, actionlog.Entry{Type: "note", Source: tlog.SourceRuntime, Content: big})
	}
	q, pages, seen := actionlog.Query{Types: []string{"note"}, Viewer: actionlog.Viewer{Owner: true}}, 0, 0
	for first := true; first || q.Cursor != ""; first = false {
		p, err := l.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		pages, seen, q.Cursor = pages+1, seen+len(p.Items), p.Next
	}
	if pages != 2 || seen != 6 {
		t.Errorf("%d entries on %d pages", seen, pages)
	}
	if _, err := l.Append(t.Context(), actionlog.Entry{Type: "note", Source: tlog.SourceRuntime, Content: make([]byte, actionlog.MaxContent+1)}); err == nil {
		t.Error("content above the limit was accepted")
	}
	appendOne(t, l, actionlog.Entry{Type: "note", Source: tlog.SourceRuntime, Content: make([]byte, actionlog.MaxContent)})
}

// TestSeveralAgents: one committer, independent logs.
func TestSeveralAgents(t *testing.T) {
	s := openStore(t, storeOptions(t.TempDir()))
	defer s.Close()
	var logs []*actionlog.Log
	for i := range 5 {
		o := logOptions(fmt.Sprintf("b850bc30-45f8-0041-a00a-%012x", i))
		l, err := s.OpenLog(o)
		if err != nil {
			t.Fatal(err)
		}
		boot(t, l, i)
		logs = append(logs, l)
	}
	var wg sync.WaitGroup
	for i, l := range logs {
		wg.Go(func() {
			for k := range 20 * (i + 1) {
				if _, err := l.Append(context.Background(), message("r", fmt.Sprint(i, k))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i, l := range logs {
		p, err := l.Query(t.Context(), actionlog.Query{Types: []string{"message"}, Count: true})
		if err != nil || p.Total != uint64(20*(i+1)) {
			t.Errorf("log %d: %d entries, %v", i, p.Total, err)
		}
		if report := known(t, l); !report.OK() {
			t.Errorf("log %d: %s", i, failures(report))
		}
	}
}

// TestResultNeedsItsIntent: an auditor would take a result without intent for the work of other code.
func TestResultNeedsItsIntent(t *testing.T) {
	s := openStore(t, storeOptions(t.TempDir()))
	defer s.Close()
	l := openLog(t, s)
	boot(t, l, 0)
	m := appendOne(t, l, message("r", "x"))
	for _, cause := range [][]uint64{nil, {m.Index}, {99}} {
		var inv *actionlog.Invalid
		if _, err := l.Append(t.Context(), actionlog.Entry{Type: "result", Cause: cause}); !errors.As(err, &inv) {
			t.Errorf("result with causes %v: %v", cause, err)
		}
	}
	i := appendOne(t, l, actionlog.Entry{Type: "intent"})
	appendOne(t, l, actionlog.Entry{Type: "result", Cause: []uint64{m.Index, i.Index}})
}
