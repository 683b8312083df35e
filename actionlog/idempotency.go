package actionlog

import (
	"context"
	"sync"
)

// idempotency knows the keys of this start's entries until the index has them, and of requests under way.
type idempotency struct {
	mu    sync.Mutex
	known map[[16]byte]remembered
}

type remembered struct {
	request [16]byte
	index   uint64
	under   *request // set while the entry is on its way
}

// claim answers a request whose entries were all logged before with their indices, nil if it is new. It waits for a
// request under way with the same keys. Old and new entries mixed in one call, or a key used for something else, are
// ErrConflict.
func (i *idempotency) claim(ctx context.Context, l *Log, r *request) ([]uint64, error) {
	if !r.hasKeys() {
		return nil, nil
	}
	if err := l.store.index.wait(ctx, l, l.found.Size); err != nil {
		return nil, err
	}
	for {
		indices, under, err := i.tryClaim(l, r)
		if err != nil || under == nil {
			return indices, err
		}
		if _, err := under.wait(ctx); ctx.Err() != nil {
			return nil, err
		}
	}
}

func (r *request) hasKeys() bool {
	for _, p := range r.entries {
		if p.stored.form&withIdem != 0 {
			return true
		}
	}
	return false
}

// tryClaim looks all keys up and, if none is known, takes them for r.
func (i *idempotency) tryClaim(l *Log, r *request) (indices []uint64, under *request, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, p := range r.entries {
		if p.stored.form&withIdem == 0 {
			continue
		}
		was, ok, err := i.lookup(l, p.stored.idem)
		switch {
		case err != nil:
			return nil, nil, err
		case !ok:
			continue
		case was.request != p.stored.request:
			return nil, nil, ErrConflict
		case was.under == r:
			return nil, nil, invalid("one idempotency key for two entries of one call")
		case was.under != nil:
			return nil, was.under, nil
		}
		indices = append(indices, was.index)
	}
	if len(indices) > 0 && len(indices) != len(r.entries) {
		return nil, nil, ErrConflict
	}
	if len(indices) == 0 {
		i.take(r)
	}
	return indices, nil, nil
}

func (i *idempotency) take(r *request) {
	for _, p := range r.entries {
		if p.stored.form&withIdem != 0 {
			i.known[p.stored.idem] = remembered{request: p.stored.request, under: r}
		}
	}
}

func (i *idempotency) lookup(l *Log, key [16]byte) (remembered, bool, error) {
	if was, ok := i.known[key]; ok {
		return was, true, nil
	}
	index, ok, err := l.store.index.byKey(l, key)
	if err != nil || !ok {
		return remembered{}, false, err
	}
	e, _, err := newCursor(l).stored(index)
	if err != nil {
		return remembered{}, false, err
	}
	if e.form&withIdem == 0 || e.idem != key { // the index lies: the frame decides
		return remembered{}, false, nil
	}
	return remembered{request: e.request, index: index}, true, nil
}

// release gives the keys of a request back that was never queued.
func (i *idempotency) release(r *request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, p := range r.entries {
		if i.known[p.stored.idem].under == r {
			delete(i.known, p.stored.idem)
		}
	}
}

// settle notes where a committed entry went, before its request is answered.
func (i *idempotency) settle(work []*pending) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, p := range work {
		if p.stored.form&withIdem != 0 {
			i.known[p.stored.idem] = remembered{request: p.stored.request, index: p.leaf.Index}
		}
	}
}

// forget drops what the index has by now.
func (i *idempotency) forget(keys [][16]byte) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, k := range keys {
		if i.known[k].under == nil {
			delete(i.known, k)
		}
	}
}
