package actionlog

import (
	"context"
	"slices"

	"github.com/teapot-tee/teapot/actionlog/index"
)

// MaxWalk bounds the entries of one walk along causes.
const MaxWalk = 4096

// Causes returns what led to an entry: the entries it names, those they name, and so on, ascending. More says that the
// walk was cut at limit.
func (l *Log) Causes(ctx context.Context, index uint64, limit int, v Viewer) (items []Item, more bool, err error) {
	c := newCursor(l)
	return l.walk(ctx, index, limit, v, func(i uint64) ([]uint64, error) {
		it, _, err := c.bare(i)
		return it.Leaf.Cause, err
	})
}

// Effects returns what came of an entry: the entries that name it, those that name them, and so on, ascending.
func (l *Log) Effects(ctx context.Context, from uint64, limit int, v Viewer) (items []Item, more bool, err error) {
	if err := l.store.index.wait(ctx, l, l.Size()); err != nil {
		return nil, false, err
	}
	c := newCursor(l)
	return l.walk(ctx, from, limit, v, func(i uint64) ([]uint64, error) {
		found, err := asked(l, func(x *index.Index, id int64) ([]uint64, error) { return x.Effects(id, i, MaxWalk) })
		if err != nil {
			return nil, err
		}
		for _, f := range found { // the index only proposes
			it, _, err := c.bare(f)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(it.Leaf.Cause, i) {
				l.store.index.failed()
				return nil, errIndexLies
			}
		}
		return found, nil
	})
}

// walk visits breadth first, so that a cut walk holds the nearest entries.
func (l *Log) walk(ctx context.Context, from uint64, limit int, v Viewer, next func(uint64) ([]uint64, error)) ([]Item, bool, error) {
	if from >= l.Size() {
		return nil, false, ErrNotFound
	}
	if limit <= 0 || limit > MaxWalk {
		limit = MaxWalk
	}
	seen, order, more := map[uint64]bool{from: true}, []uint64{}, false
	for todo := []uint64{from}; len(todo) > 0 && !more; todo = todo[1:] {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		list, err := next(todo[0])
		if err != nil {
			return nil, false, err
		}
		for _, i := range list {
			if seen[i] {
				continue
			}
			if more = len(order) == limit; more {
				break
			}
			seen[i] = true
			order, todo = append(order, i), append(todo, i)
		}
	}
	items, cut, err := l.items(order, v)
	return items, more || cut, err
}

func (l *Log) items(indices []uint64, v Viewer) (out []Item, cut bool, err error) {
	slices.Sort(indices)
	c, size := newCursor(l), 0
	for _, i := range indices {
		if size > maxPageBytes {
			return out, true, nil
		}
		it, err := c.item(i)
		if err != nil {
			return nil, false, err
		}
		it = l.For(it, v)
		out, size = append(out, it), size+len(it.Addendum)+len(it.Evidence)
	}
	return out, false, nil
}
