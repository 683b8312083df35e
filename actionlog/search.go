package actionlog

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/teapot-tee/teapot/actionlog/index"
	"github.com/teapot-tee/teapot/tlog"
)

// search turns candidates into items until the page is full.
type search struct {
	l       *Log
	q       Query
	want    int
	skip    int
	cursor  *cursor
	items   []Item
	next    string
	matched uint64
	bytes   int
	scanned int
}

const (
	textStart = 64
	textChunk = 2048
)

func (s *search) run(ctx context.Context, iq index.Query) error {
	chunk := iq.Limit + 1 // one more tells whether there is a next page
	if s.q.Text != "" {
		chunk = textStart
	}
	iq.Limit = chunk
	for {
		found, err := s.l.candidates(iq)
		if err != nil {
			return err
		}
		done, err := s.take(ctx, found)
		if err != nil || done || len(found) < chunk {
			return err
		}
		last := found[len(found)-1]
		if s.scanned += len(found); s.q.Text != "" && s.scanned >= maxScan && !s.counting() {
			s.next = strconv.FormatUint(s.cursorAfter(last), 10)
			return nil
		}
		iq.Skip = 0
		if s.q.Text != "" { // a rare text is found in large strides
			chunk = min(2*chunk, textChunk)
			iq.Limit = chunk
		}
		if iq.Newest {
			iq.To = last
		} else {
			iq.From = last + 1
		}
	}
}

// take reads candidates; done says that the page is full and nothing needs counting.
func (s *search) take(ctx context.Context, found []uint64) (done bool, err error) {
	if s.q.Text != "" {
		if found, err = s.matching(found); err != nil {
			return false, err
		}
	}
	for _, i := range found {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if s.full() && s.next == "" {
			s.next = strconv.FormatUint(s.cursorAt(i), 10)
		}
		if s.full() && !s.counting() {
			return true, nil
		}
		if err := s.read(i); err != nil {
			return false, err
		}
	}
	return false, nil
}

func (s *search) full() bool { return len(s.items) == s.want || s.bytes > maxPageBytes }

func (s *search) counting() bool { return s.q.Count && s.q.Text != "" }

// cursorAfter is the cursor of a page that begins behind entry i.
func (s *search) cursorAfter(i uint64) uint64 {
	if s.q.Newest {
		return i
	}
	return i + 1
}

// cursorAt is the cursor of a page that begins with entry i.
func (s *search) cursorAt(i uint64) uint64 {
	if s.q.Newest {
		return i + 1
	}
	return i
}

var errIndexLies = &indexError{errors.New("it did not agree with the log")}

func (s *search) read(i uint64) error {
	it, err := s.cursor.item(i)
	if err != nil {
		return err
	}
	if !s.agrees(&it) {
		return errIndexLies
	}
	it = s.l.For(it, s.q.Viewer)
	s.matched++
	if s.skip > 0 {
		s.skip--
		return nil
	}
	if !s.full() {
		s.items = append(s.items, it)
		s.bytes += len(it.Addendum) + len(it.Evidence)
	}
	return nil
}

// matching leaves the candidates whose content, as far as the viewer may see it, holds the text. All cores search.
func (s *search) matching(found []uint64) ([]uint64, error) {
	hits, errs := make([]bool, len(found)), make([]error, len(found))
	pattern := newPattern(s.q.Text, s.q.Wildcards)
	stretches(len(found), func(lo, hi int) {
		c, scratch := newCursor(s.l), []byte(nil)
		for i := lo; i < hi; i++ {
			var it Item
			if it, errs[i] = c.item(found[i]); errs[i] != nil {
				return
			}
			if it = s.l.For(it, s.q.Viewer); it.State == ContentShown {
				hits[i], scratch = pattern.in(it.Content.Content, scratch)
			}
		}
	})
	out := found[:0:0]
	for i, hit := range hits {
		if hit {
			out = append(out, found[i])
		}
	}
	return out, errors.Join(errs...)
}

// agrees compares an entry with the filters: the index only proposes.
func (s *search) agrees(it *Item) bool {
	q, l := &s.q, s.l
	room := named(q.RoomName, tlog.RoomPseudonym(l.privacy[:], q.Room))
	user := named(q.UserName, tlog.UserPseudonym(l.privacy[:], q.User))
	since, until := micros(q.Since), micros(q.Until)
	return (len(q.Types) == 0 || slices.Contains(q.Types, it.Leaf.Type)) &&
		(room == nil || it.Leaf.Room == *room) && (user == nil || it.Leaf.User == *user) &&
		it.Leaf.Time >= since && (until == 0 || it.Leaf.Time < until)
}
