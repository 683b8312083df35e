package actionlog

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"github.com/teapot-tee/teapot/actionlog/index"
	"github.com/teapot-tee/teapot/bundle"
	"github.com/teapot-tee/teapot/tlog"
)

// Extract says what a bundle is to hold.
type Extract struct {
	Window     tlog.Window // entries asked for
	Room, User string      // real ids: contents only of entries that match; all headers of the window are there
	RoomName   tlog.Pseudonym
	UserName   tlog.Pseudonym
	Contents   bool   // with the contents that Viewer may see
	Base       uint64 // size of a tree the reader has verified already: begin there
	Nonce      []byte
	Session    []byte   // Evidence document over a session or extract statement; nil: none
	Collateral [][]byte // newer than what the evidence carries
	Viewer     Viewer
	Progress   func(done, all uint64) // called now and then; nil: not
}

// Bundle writes the portable file: what was asked for, every start with its evidence, every erasure, and for everything
// left out the hashes that make the rest provable up to the newest checkpoint.
func (l *Log) Bundle(ctx context.Context, w io.Writer, e Extract) error {
	h := l.head.Load()
	if h.size == 0 {
		return ErrNotFound
	}
	if e.Base > h.size {
		return invalid("base %d lies beyond the log's size %d", e.Base, h.size)
	}
	if err := l.store.index.wait(ctx, l, h.size); err != nil {
		return err
	}
	x := &extraction{l: l, e: e, head: h, room: named(e.RoomName, tlog.RoomPseudonym(l.privacy[:], e.Room)), user: named(e.UserName, tlog.UserPseudonym(l.privacy[:], e.User))}
	out, err := bundle.NewWriter(w, x.header())
	if err != nil {
		return &Invalid{err.Error()}
	}
	if err := x.documents(out); err != nil {
		return err
	}
	out.Checkpoint(h.checkpoint)
	out.Kinds(h.kinds)
	if err := x.entries(ctx, out); err != nil {
		return err
	}
	out.LeaveOut(h.size, l)
	return out.Close()
}

type extraction struct {
	l          *Log
	e          Extract
	head       *head
	room, user *[16]byte
}

func (x *extraction) header() bundle.Header {
	q := bundle.Query{Window: x.e.Window, Contents: x.e.Contents}
	slices.Sort(q.Types)
	q.Types = slices.Compact(q.Types)
	if x.room != nil {
		q.Room = tlog.Pseudonym(*x.room).String()
	}
	if x.user != nil {
		q.User = tlog.Pseudonym(*x.user).String()
	}
	return bundle.Header{Origin: x.l.origin, Size: x.head.size, Base: x.e.Base, Nonce: hex.EncodeToString(x.e.Nonce), Query: q}
}

// documents writes the session's evidence and that of every start from the one that was open at Base on.
func (x *extraction) documents(out *bundle.Writer) error {
	if x.e.Session != nil {
		out.Session(x.e.Session)
	}
	boots, err := x.find(index.Query{To: x.head.size, Types: []string{tlog.TypeBoot}, Limit: int(x.head.size)})
	if err != nil {
		return err
	}
	open := 0
	for i, b := range boots {
		if b < x.e.Base {
			open = i
		}
	}
	seen := map[tlog.Hash]bool{}
	for _, b := range boots[open:] {
		it, err := newCursor(x.l).item(b)
		if err != nil {
			return err
		}
		if it.Leaf.Start != nil && !seen[it.Leaf.Start.Evidence] {
			seen[it.Leaf.Start.Evidence] = true
			out.Evidence(it.Evidence)
		}
	}
	for _, c := range x.e.Collateral {
		out.Collateral(c)
	}
	return nil
}

func (x *extraction) find(q index.Query) ([]uint64, error) {
	return x.l.candidates(q)
}

// entries writes the entries that are to be there, and hashes for those between.
func (x *extraction) entries(ctx context.Context, out *bundle.Writer) error {
	from, to, err := x.bounds()
	if err != nil {
		return err
	}
	extra, err := x.always()
	if err != nil {
		return err
	}
	if len(x.e.Window.Types) > 0 {
		typed, err := x.typed(from, to)
		if err != nil {
			return err
		}
		extra = append(extra, typed...)
		from, to = 0, 0
	} else { // one entry on each side shows where the window ends
		from, to = from-min(from, 1), min(to+1, x.head.size)
	}
	slices.Sort(extra)
	return x.write(ctx, out, from, to, slices.Compact(extra))
}

// write merges the range [from, to) with the single entries of extra.
func (x *extraction) write(ctx context.Context, out *bundle.Writer, from, to uint64, extra []uint64) error {
	c, all, done := newCursor(x.l), uint64(len(extra))+to-from, uint64(0)
	put := func(i uint64) error {
		if i < out.Pos() {
			return nil
		}
		if done++; done%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if x.e.Progress != nil {
				x.e.Progress(done, all)
			}
		}
		out.LeaveOut(i, x.l)
		item, err := x.item(c, i)
		out.Entry(item)
		return err
	}
	for at := max(from, x.e.Base); at < to; at++ {
		for len(extra) > 0 && extra[0] < at {
			if err := put(extra[0]); err != nil {
				return err
			}
			extra = extra[1:]
		}
		if err := put(at); err != nil {
			return err
		}
	}
	for _, i := range extra {
		if err := put(i); err != nil {
			return err
		}
	}
	if x.e.Progress != nil {
		x.e.Progress(all, all)
	}
	return nil
}

// bounds turns the window's times into indices.
func (x *extraction) bounds() (from, to uint64, err error) {
	w := x.e.Window
	q := index.Query{From: w.From, To: x.head.size, Since: w.Since, Until: w.Until}
	if w.To != 0 {
		q.To = min(w.To, x.head.size)
	}
	b, err := asked(x.l, func(ix *index.Index, id int64) (b [2]uint64, err error) {
		b[0], b[1], err = ix.Bounds(id, q)
		return b, err
	})
	from = min(b[0], x.head.size)
	return from, max(b[1], from), err
}

// always are the entries without which nothing is proven: every start, every erasure, and the newest entry, which vouches
// for the counts by type.
func (x *extraction) always() ([]uint64, error) {
	found, err := x.find(index.Query{From: x.e.Base, To: x.head.size, Types: []string{tlog.TypeBoot, tlog.TypeErasure}, Limit: int(x.head.size)})
	return append(found, x.head.size-1), err
}

// typed are the entries of the types asked for, and of each type the one before and the one after the window.
func (x *extraction) typed(from, to uint64) (out []uint64, err error) {
	for _, t := range x.e.Window.Types {
		one := []string{t}
		for _, q := range []index.Query{
			{From: x.e.Base, To: from, Types: one, Newest: true, Limit: 1},
			{From: max(from, x.e.Base), To: to, Types: one, Limit: int(x.head.size)},
			{From: to, To: x.head.size, Types: one, Limit: 1},
		} {
			found, err := x.find(q)
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
		}
	}
	return out, nil
}

var statusOf = map[ContentState]tlog.Status{
	ContentNone: tlog.StatusNone, ContentShown: tlog.StatusDisclosed, ContentErased: tlog.StatusErased, ContentWithheld: tlog.StatusWithheld,
}

func (x *extraction) item(c *cursor, i uint64) (tlog.Item, error) {
	it, err := c.item(i)
	if err != nil {
		return tlog.Item{}, fmt.Errorf("entry %d: %w", i, err)
	}
	it = x.l.For(it, x.e.Viewer)
	if it.State == ContentShown && !x.discloses(&it) {
		it.State, it.Addendum = ContentWithheld, nil
	}
	return tlog.Item{Leaf: it.Raw, Addendum: it.Addendum, Status: statusOf[it.State]}, nil
}

// discloses: contents that were not asked for stay away, public ones too only if none were asked for.
func (x *extraction) discloses(it *Item) bool {
	if !x.e.Contents {
		return false
	}
	hit := (x.room == nil || it.Leaf.Room == *x.room) && (x.user == nil || it.Leaf.User == *x.user)
	return hit || it.Leaf.Content.Visibility == tlog.VisiblePublic
}
