package actionlog

import "github.com/teapot-tee/teapot/actionlog/index"

// rows reads rows back from the frames.
func (l *Log) rows(from, to uint64) ([]index.Row, error) {
	c := newCursor(l)
	out := make([]index.Row, 0, to-from)
	for i := from; i < to; i++ {
		it, e, err := c.bare(i)
		if err != nil {
			return nil, err
		}
		out = append(out, rowOf(&it, e))
	}
	return out, nil
}

func rowOf(it *Item, e *stored) index.Row {
	r := index.Row{Index: it.Index, Time: it.Leaf.Time, Type: it.Leaf.Type, Room: it.Leaf.Room, User: it.Leaf.User, Cause: it.Leaf.Cause}
	if e.form&withIdem != 0 {
		key := e.idem
		r.Key = &key
	}
	return r
}

// afterCommit tells the index and the idempotency table what was committed.
func (l *Log) afterCommit(work []*pending) {
	l.idem.settle(work)
	rows := make([]index.Row, len(work))
	for i, p := range work {
		rows[i] = rowOf(&Item{Index: p.leaf.Index, Leaf: p.leaf}, &p.stored)
	}
	l.store.index.notify(l, rows)
}
