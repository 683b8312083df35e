package actionlog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/actionlog/disk/disktest"
	"github.com/teapot-tee/teapot/tlog"
)

// witness remembers everything that was acknowledged: whatever happens to the disk, a later start has it or refuses.
type witness struct {
	leaves map[uint64][]byte
	erased map[uint64]bool
	roots  map[uint64]tlog.Hash // by size, from signed checkpoints
	starts int
}

func newWitness() *witness {
	return &witness{leaves: map[uint64][]byte{}, erased: map[uint64]bool{}, roots: map[uint64]tlog.Hash{}}
}

func (w *witness) saw(proofs ...actionlog.Proof) {
	for _, p := range proofs {
		w.leaves[p.Index] = p.Leaf
		c, err := tlog.ParseCheckpoint(p.Checkpoint)
		if err != nil {
			panic(err)
		}
		w.roots[c.Size] = c.Root
	}
}

// check compares an opened log with everything acknowledged and signed before.
func (w *witness) check(t testing.TB, l *actionlog.Log) {
	t.Helper()
	for i, leaf := range w.leaves {
		it, err := l.Entry(context.Background(), i)
		if err != nil {
			t.Fatalf("acknowledged entry %d of a log of size %d: %v", i, l.Size(), err)
		}
		if !bytes.Equal(it.Raw, leaf) {
			t.Fatalf("acknowledged entry %d is another one now", i)
		}
		if w.erased[i] != (it.State == actionlog.ContentErased) && (w.erased[i] || it.State != actionlog.ContentErased) {
			t.Fatalf("entry %d is %s, erased: %v", i, it.State, w.erased[i])
		}
	}
	for size, root := range w.roots {
		if got, err := l.Root(size); err != nil || got != root {
			t.Fatalf("a checkpoint of size %d was signed that this log does not extend (%v)", size, err)
		}
	}
}

func memoryOptions(d *disktest.Disk) actionlog.Options {
	return actionlog.Options{Dir: "memory", Platform: "simulator", FS: d}
}

// live runs a life of a log on a disk until something fails: open, boot, entries, an erasure, more entries.
func (w *witness) live(d *disktest.Disk) (err error) {
	s, err := actionlog.Open(memoryOptions(d))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	l, err := s.OpenLog(logOptions(agentID))
	if err != nil {
		return err
	}
	ctx := context.Background()
	w.starts++
	p, err := l.Boot(ctx, bootOf(w.starts%100))
	if err != nil {
		return err
	}
	w.saw(p)
	for i := range 6 {
		batch := make([]actionlog.Entry, 1+i%3)
		for k := range batch {
			batch[k] = message("room", strings.Repeat(fmt.Sprint("text ", w.starts, i, k, " "), 1+40*(i%2)))
		}
		ps, err := l.Append(ctx, batch...)
		if err != nil {
			return err
		}
		w.saw(ps...)
		if i == 3 {
			if err := w.erase(l, ps[0].Index); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *witness) erase(l *actionlog.Log, i uint64) error {
	p, err := l.Erase(context.Background(), actionlog.Erasure{Targets: []uint64{i}, Requester: tlog.RequesterOperator, Reason: "test"})
	if err == nil {
		w.erased[i] = true
		w.saw(p)
	}
	return err
}

// reopened opens what is left of a disk and checks it; nil if the start was refused.
func (w *witness) reopened(t testing.TB, d *disktest.Disk, mayRefuse bool) (opened bool) {
	t.Helper()
	s, err := actionlog.Open(memoryOptions(d))
	if err == nil {
		defer s.Close()
		var l *actionlog.Log
		if l, err = s.OpenLog(logOptions(agentID)); err == nil {
			w.check(t, l)
			return true
		}
	}
	var refused *actionlog.Refused
	if !mayRefuse || !errors.As(err, &refused) || refused.Next == "" {
		t.Fatalf("start failed: %v", err)
	}
	return false
}

// TestEveryFailingCall fails every single call of the file system in turn, with each kind of failure, cuts the power,
// and starts again.
func TestEveryFailingCall(t *testing.T) {
	reference := disktest.New()
	if err := newWitness().live(reference); err != nil {
		t.Fatal(err)
	}
	calls := reference.Calls()
	t.Logf("%d calls", calls)
	r := rand.New(rand.NewPCG(1, 2))
	step := max(1, 4/scale(1)) // TEAPOT_SUITES=4 and more: every call with every kind
	for k, kind := range []error{syscall.EIO, syscall.ENOSPC, disktest.ErrShort} {
		for n := k; n < calls; n += step {
			d, w := disktest.New(), newWitness()
			d.Fault = func(c disktest.Call) error {
				if c.N == n && (kind != disktest.ErrShort || c.Op == "write") { //nolint:errorlint // exactly ours
					return kind
				}
				return nil
			}
			_ = w.live(d) // most calls make it fail; what was acknowledged before counts
			after := d.Crash(r)
			w.reopened(t, after, false)
			if err := w.live(after); err != nil {
				t.Fatalf("%v at call %d: the next start cannot go on: %v", kind, n, err)
			}
			w.reopened(t, after.Copy(), false)
		}
	}
}

// TestAfterAFailedWriteNothingIsAccepted: the state of the disk is unknown, so the store is closed for good.
func TestAfterAFailedWriteNothingIsAccepted(t *testing.T) {
	for _, op := range []string{"write", "sync"} {
		d := disktest.New()
		told := make(chan error, 1)
		o := memoryOptions(d)
		o.Fatal = func(err error) { told <- err }
		s := openStore(t, o)
		l := openLog(t, s)
		boot(t, l, 0)
		d.Fault = func(c disktest.Call) error {
			if c.Op == op {
				return syscall.EIO
			}
			return nil
		}
		if _, err := l.Append(t.Context(), message("r", "x")); !errors.Is(err, actionlog.ErrStopped) || !errors.Is(err, syscall.EIO) {
			t.Fatalf("%s fails: %v", op, err)
		}
		d.Fault = nil
		if _, err := l.Append(t.Context(), message("r", "x")); !errors.Is(err, actionlog.ErrStopped) {
			t.Fatalf("after a failed %s: %v", op, err)
		}
		if err := <-told; !errors.Is(err, syscall.EIO) {
			t.Fatalf("the process was told %v", err)
		}
		s.Close()
	}
}

// TestPowerFailures cuts the power at random moments of several lives in a row; writes that were not synced are lost,
// torn and reordered.
func TestPowerFailures(t *testing.T) {
	for seed := range uint64(scale(60)) {
		r := rand.New(rand.NewPCG(seed, 7))
		d, w := disktest.New(), newWitness()
		for range 4 {
			end := d.Calls() + 1 + r.IntN(90)
			d.Fault = func(c disktest.Call) error {
				if c.N >= end {
					return syscall.EIO // the power is gone: nothing works any more
				}
				return nil
			}
			_ = w.live(d) // ends when the power does
			d = d.Crash(r)
			w.reopened(t, d, false)
		}
	}
}
