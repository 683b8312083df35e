package agent

import (
	"context"
	"fmt"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/tlog"
)

// forget follows the log until the agent stops: what was erased there is erased from the memory too. Falling too far behind
// ends a subscription; then what was missed is read from the log. A subscription that ends with nothing missed was ended by
// the log.
func (a *Agent) forget(ctx context.Context, seen uint64) {
	for {
		proofs, size := a.config.Log.Subscribe(ctx), a.config.Log.Size()
		if err := a.catchUp(ctx, seen); err != nil && ctx.Err() == nil {
			a.config.Logger.ErrorContext(ctx, "reading what was erased; the next start rebuilds the memory without it", "error", err)
			return
		}
		for seen = max(seen, size); ; {
			p, open := <-proofs
			if !open {
				break
			}
			var leaf tlog.Leaf
			if leaf.Decode(p.Leaf) == nil {
				a.forgetTargets(ctx, leaf.Erased)
			}
			seen = p.Index + 1
		}
		if ctx.Err() != nil || a.config.Log.Size() <= seen {
			return
		}
	}
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
			a.forgetTargets(ctx, item.Leaf.Erased)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return nil
		}
	}
}

func (a *Agent) forgetTargets(ctx context.Context, e *tlog.Erasure) {
	if e == nil {
		return
	}
	gone := make([]uint64, 0, len(e.Targets))
	for _, t := range e.Targets {
		gone = append(gone, t.Index)
	}
	if err := a.config.Memory.Forget(ctx, gone); err != nil {
		a.config.Logger.ErrorContext(ctx, "forgetting erased entries; the next start rebuilds the memory without them", "error", err)
	}
}
