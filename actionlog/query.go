package actionlog

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/teapot-tee/teapot/actionlog/index"
	"github.com/teapot-tee/teapot/tlog"
)

// Query selects entries. Zero fields do not filter; the zero Viewer is the public.
type Query struct {
	From, To     uint64   // From ≤ index < To; To 0: to the end
	Types        []string // any of these
	Room, User   string   // real ids
	RoomName     tlog.Pseudonym
	UserName     tlog.Pseudonym
	Since, Until time.Time // Since ≤ time < Until
	Text         string    // content holds this, ASCII letters alike; only content the viewer may see is searched
	Wildcards    bool      // % and _ in Text mean what they mean in SQL's LIKE
	Newest       bool      // newest first
	Limit        int       // entries per page; 0: 50, at most MaxPage
	Cursor       string    // Page.Next of the page before
	Skip         int       // leave out so many matches: for page numbers only, it costs time for each
	Count        bool      // fill Page.Total
	Viewer       Viewer
}

// A page ends after MaxPage entries, or with the entry that takes its contents over maxPageBytes.
const (
	MaxPage      = 10000
	maxPageBytes = 8 << 20
	// maxScan bounds the contents that one text search opens before it hands back a page, perhaps an empty one, with a
	// cursor: anybody may search.
	maxScan = 1 << 16
)

// Page is one page of an answer.
type Page struct {
	Items []Item
	Next  string // cursor of the next page; "" at the end. A text search may return a page that is not full, even empty, with one.
	Total uint64 // of all matches, when asked for
	Size  uint64 // of the tree the answer was made from
}

// Query returns the entries that match, each read from its frame and compared with the tree. It sees every entry that
// was acknowledged when it was called. That nothing is missing follows from the numbers in the leaves for index, type
// and time; for room, user and text it rests on this code.
func (l *Log) Query(ctx context.Context, q Query) (Page, error) {
	if q.Text != "" && !q.Viewer.Owner { // strangers' searches take turns: each may use all cores
		select {
		case l.store.searching <- struct{}{}:
			defer func() { <-l.store.searching }()
		case <-ctx.Done():
			return Page{}, ctx.Err()
		}
	}
	for try := 0; ; try++ {
		page, err := l.query(ctx, q)
		var broken *indexError
		if !errors.As(err, &broken) || try == 2 {
			return page, err
		}
		l.store.index.failed() // and ask the new one
	}
}

func (l *Log) query(ctx context.Context, q Query) (Page, error) {
	size := l.Size()
	iq, err := l.plan(q, size)
	if err = errors.Join(err, newPattern(q.Text, q.Wildcards).check()); err != nil {
		return Page{}, err
	}
	if !iq.Plain() {
		if err := l.store.index.wait(ctx, l, size); err != nil {
			return Page{}, err
		}
	}
	page := Page{Size: size}
	if q.Count && q.Text == "" {
		if page.Total, err = l.count(q, size); err != nil {
			return Page{}, err
		}
	}
	s := &search{l: l, q: q, want: iq.Limit, skip: iq.Skip, cursor: newCursor(l)}
	if q.Text != "" {
		iq.Skip = 0
	} else {
		s.skip = 0
	}
	if err := s.run(ctx, iq); err != nil {
		return Page{}, err
	}
	page.Items, page.Next = s.items, s.next
	if q.Count && q.Text != "" {
		page.Total = s.matched
	}
	return page, nil
}

func (l *Log) plan(q Query, size uint64) (index.Query, error) {
	iq := index.Query{From: q.From, To: size, Types: q.Types, Newest: q.Newest, Limit: q.Limit, Skip: max(q.Skip, 0)}
	if q.To > 0 {
		iq.To = min(q.To, size)
	}
	if iq.Limit <= 0 {
		iq.Limit = 50
	}
	iq.Limit = min(iq.Limit, MaxPage)
	iq.Room = named(q.RoomName, tlog.RoomPseudonym(l.privacy[:], q.Room))
	iq.User = named(q.UserName, tlog.UserPseudonym(l.privacy[:], q.User))
	iq.Since, iq.Until = micros(q.Since), micros(q.Until)
	if q.Cursor == "" {
		return iq, nil
	}
	at, err := strconv.ParseUint(q.Cursor, 10, 53)
	if err != nil {
		return iq, invalid("cursor %.40q is not one of this log", q.Cursor)
	}
	if q.Newest {
		iq.To = min(iq.To, at)
	} else {
		iq.From = max(iq.From, at)
	}
	return iq, nil
}

func named(names ...tlog.Pseudonym) *[16]byte {
	for _, n := range names {
		if n != (tlog.Pseudonym{}) {
			return (*[16]byte)(&n)
		}
	}
	return nil
}

func micros(t time.Time) uint64 {
	if t.IsZero() || t.UnixMicro() < 0 {
		return 0
	}
	return uint64(t.UnixMicro())
}

func (l *Log) count(q Query, size uint64) (uint64, error) {
	q.Cursor = ""
	iq, err := l.plan(q, size)
	if err != nil {
		return 0, err
	}
	if iq.Plain() {
		return iq.To - min(iq.From, iq.To), nil
	}
	return asked(l, func(x *index.Index, id int64) (uint64, error) { return x.Count(id, iq) })
}

// asked puts a question to the index.
func asked[T any](l *Log, f func(x *index.Index, id int64) (T, error)) (T, error) {
	x, id, err := l.store.index.use(l)
	if err != nil {
		var none T
		return none, err
	}
	answer, err := f(x, id)
	if err != nil {
		err = &indexError{err}
	}
	return answer, err
}

// candidates returns the entries that may match, in order. Ranges need no index.
func (l *Log) candidates(q index.Query) ([]uint64, error) {
	if !q.Plain() {
		return asked(l, func(x *index.Index, id int64) ([]uint64, error) { return x.Candidates(id, q) })
	}
	from, to := q.From, max(q.To, q.From)
	skip, n := min(uint64(q.Skip), to-from), uint64(q.Limit)
	out := make([]uint64, 0, min(n, to-from-skip))
	for k := skip; k < to-from && uint64(len(out)) < n; k++ {
		if q.Newest {
			out = append(out, to-1-k)
		} else {
			out = append(out, from+k)
		}
	}
	return out, nil
}

// indexError is a failure of the query index, which can be built anew.
type indexError struct{ err error }

func (e *indexError) Error() string { return "query index: " + e.err.Error() }
func (e *indexError) Unwrap() error { return e.err }
