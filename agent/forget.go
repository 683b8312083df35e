package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/tlog"
)

// How long a failed forgetting waits to be tried again: at first, and at most.
const (
	soon  = 100 * time.Millisecond
	later = time.Minute
)

// forget follows the log until the agent stops: what was erased there is erased from the memory too. What fails is tried again
// until it succeeds: nobody is to be told what was erased.
func (a *Agent) forget(ctx context.Context, seen uint64) {
	for wait := soon; ; {
		next, err := a.follow(ctx, seen)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && a.config.Log.Size() <= next:
			return // a subscription that ends with nothing missed was ended by the log
		case next > seen:
			wait = soon
		}
		if seen = next; err == nil {
			continue
		}
		a.config.Logger.ErrorContext(ctx, "forgetting what was erased; it is tried again, and the next start rebuilds the memory without it", "error", err, "wait", wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, later)
	}
}

// follow forgets from an index on until the subscription ends, which it does when the agent falls too far behind, and returns the
// index to go on from.
func (a *Agent) follow(ctx context.Context, seen uint64) (next uint64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	proofs, size := a.config.Log.Subscribe(ctx), a.config.Log.Size()
	if err := a.catchUp(ctx, seen); err != nil {
		return seen, err
	}
	seen = max(seen, size)
	for p := range proofs {
		var leaf tlog.Leaf
		if leaf.Decode(p.Leaf) == nil {
			err = a.forgetTargets(ctx, leaf.Erased)
		}
		if err != nil {
			return seen, err
		}
		seen = max(seen, p.Index+1)
	}
	return seen, nil
}

// catchUp forgets what the erasures from an index on name. Forgetting twice is harmless.
func (a *Agent) catchUp(ctx context.Context, from uint64) error {
	q := actionlog.Query{From: from, Types: []string{tlog.TypeErasure}, Limit: 1000, Viewer: actionlog.Viewer{Owner: true}}
	for {
		page, err := a.config.Log.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("reading erasures: %w", err)
		}
		for _, item := range page.Items {
			if err := a.forgetTargets(ctx, item.Leaf.Erased); err != nil {
				return err
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return nil
		}
	}
}

func (a *Agent) forgetTargets(ctx context.Context, e *tlog.Erasure) error {
	if e == nil {
		return nil
	}
	gone := make([]uint64, 0, len(e.Targets))
	for _, t := range e.Targets {
		gone = append(gone, t.Index)
	}
	return a.config.Memory.Forget(ctx, gone)
}
