package actionlog

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/teapot-tee/teapot/tlog"
)

// ErasurePolicy is the part of the measured policy that says on whose demand content may be erased. The zero policy
// lets nobody.
type ErasurePolicy struct{ Requesters []tlog.Requester }

// Erasure asks to destroy the content of entries. The entries themselves stay, and so does this erasure: its targets,
// who asked and why are public for ever, so the reason must not name people.
type Erasure struct {
	Targets   []uint64
	Requester tlog.Requester
	User      string // real id of the user who asked; RequesterUser may erase only this user's entries
	Reason    string
}

// erased knows which contents are gone and which erasure leaf says so.
type erased struct {
	mu  sync.RWMutex
	set map[uint64]uint64
}

func (e *erased) by(index uint64) (uint64, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	by, gone := e.set[index]
	return by, gone
}

func (e *erased) add(targets []tlog.Target, by uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, t := range targets {
		e.set[t.Index] = by
	}
}

// NotErasable is a demand that was refused; nothing was written.
type NotErasable struct {
	Why  string
	Next string // what the operator can do
}

func (n *NotErasable) Error() string { return "not erased: " + n.Why }

// Erase writes the erasure leaf, and only when that is durable destroys the content keys: a crash in between is
// completed by the next start. When it returns, this code can no longer open the contents; a copy of the disk from
// before still holds the old keys, sealed for the TEE, and only detection of rollback bounds its use.
func (l *Log) Erase(ctx context.Context, e Erasure) (Proof, error) {
	l.erase.Lock()
	defer l.erase.Unlock()
	body, err := l.erasureBody(e)
	if err != nil {
		return Proof{}, err
	}
	if !l.head.Load().booted {
		return Proof{}, ErrNotBooted
	}
	r := newRequest(1)
	r.entries = append(r.entries, &pending{leaf: tlog.Leaf{Type: tlog.TypeErasure, Source: tlog.SourceRuntime, Erased: body}})
	if err := l.enqueue(r); err != nil {
		return Proof{}, err
	}
	// From here on the erasure happens, whatever becomes of the caller.
	proofs, err := r.wait(context.WithoutCancel(ctx))
	if err != nil {
		return Proof{}, err
	}
	l.gone.add(body.Targets, proofs[0].Index)
	if err := l.destroyAll(context.WithoutCancel(ctx), e.Targets); err != nil {
		return Proof{}, l.store.fail(err)
	}
	return proofs[0], nil
}

func (l *Log) erasureBody(e Erasure) (*tlog.Erasure, error) {
	if !slices.Contains(l.opts.Erasure.Requesters, e.Requester) {
		return nil, &NotErasable{
			Why:  fmt.Sprintf("the policy in force does not let %q have content erased", e.Requester),
			Next: fmt.Sprintf("the boot statement fixes the policy for this start; start again with --config FILE that has version = 1, then [erasure], then requesters = [%q]", e.Requester),
		}
	}
	if len(e.Targets) == 0 || len(e.Targets) > tlog.MaxTargets || len(e.Reason) > tlog.MaxReason || e.Reason == "" {
		return nil, &NotErasable{
			Why:  fmt.Sprintf("want 1 to %d targets and a reason of 1 to %d bytes", tlog.MaxTargets, tlog.MaxReason),
			Next: "shorten the reason, or erase in several requests",
		}
	}
	body := &tlog.Erasure{Requester: e.Requester, By: tlog.UserPseudonym(l.privacy[:], e.User), Reason: e.Reason}
	c := newCursor(l)
	for _, index := range slices.Compact(slices.Sorted(slices.Values(e.Targets))) {
		it, _, err := c.bare(index)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", index, err)
		}
		if why := l.notErasable(&it, e, body.By); why != "" {
			return nil, &NotErasable{Why: fmt.Sprintf("entry %d %s", index, why), Next: "leave it out of the request; nothing was erased"}
		}
		body.Targets = append(body.Targets, tlog.Target{Index: index, Type: it.Leaf.Type})
	}
	return body, nil
}

func (l *Log) notErasable(it *Item, e Erasure, by tlog.Pseudonym) string {
	_, gone := l.gone.by(it.Index)
	switch {
	case !tlog.Erasable(it.Leaf.Type):
		return fmt.Sprintf("is of type %q, which stays for ever", it.Leaf.Type)
	case it.Leaf.Content == (tlog.Content{}):
		return "has no content"
	case gone:
		return "was erased before"
	case e.Requester == tlog.RequesterUser && (by == tlog.Pseudonym{} || it.Leaf.User != by):
		return "is not this user's"
	}
	return ""
}

// destroyAll replaces the content keys of every segment that holds a target. The open segment is closed first: keys are
// only re-wrapped where nothing is added any more.
func (l *Log) destroyAll(ctx context.Context, targets []uint64) error {
	_, release, err := l.Hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	bySeg := map[int][]uint64{}
	for _, t := range targets {
		i := l.segmentOf(t)
		bySeg[i] = append(bySeg[i], t)
	}
	if open := len(l.segs) - 1; l.writer != nil && bySeg[open] != nil {
		if err := l.roll(); err != nil {
			return err
		}
	}
	for i, gone := range bySeg {
		if err := l.destroy(l.segs[i], gone); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) segmentOf(index uint64) int {
	i, exact := slices.BinarySearchFunc(l.segs, index, func(s *seg, want uint64) int {
		switch {
		case s.head.First < want:
			return -1
		case s.head.First > want:
			return 1
		}
		return 0
	})
	if exact {
		return i
	}
	return i - 1
}

func (l *Log) destroy(s *seg, gone []uint64) error {
	wraps, err := l.wrapsOf(s)
	if err != nil {
		return err
	}
	next, err := s.keys.Load().Erase(l.store.fs, l.dir, l.keys, wraps, gone)
	if err != nil {
		return err
	}
	s.keys.Store(next)
	return nil
}

// wrapsOf collects the wrapped content keys that the records of a segment carry.
func (l *Log) wrapsOf(s *seg) (map[uint64][]byte, error) {
	wraps := map[uint64][]byte{}
	for i := range s.first {
		b, err := s.reader.Read(s.place(i))
		if err != nil {
			return nil, err
		}
		f, err := parsePayload(b)
		if err != nil {
			return nil, err
		}
		for k := range f.entries {
			if f.entries[k].form&contentMask == contentSealed {
				wraps[f.first+uint64(k)] = slices.Clone(f.entries[k].wrapped)
			}
		}
	}
	return wraps, nil
}

// finishErasures destroys keys that an erasure leaf names and a crash, or a file put back, left in place.
func (l *Log) finishErasures() error {
	for i, s := range l.segs {
		var left []uint64
		for index := range l.gone.set {
			if l.segmentOf(index) == i && s.keys.Load().Has(index) {
				left = append(left, index)
			}
		}
		if len(left) == 0 {
			continue
		}
		if err := l.destroy(s, left); err != nil {
			return fmt.Errorf("completing an erasure: %w", err)
		}
	}
	return nil
}
