package index

import (
	"errors"
	"slices"
	"strings"
)

// Query selects entries of one log. Zero fields do not filter.
type Query struct {
	From, To     uint64 // From ≤ index < To
	Types        []string
	Room, User   *[16]byte
	Since, Until uint64 // microseconds: Since ≤ time < Until; Until 0: no bound
	Newest       bool   // newest first
	Limit        int    // at most this many
	Skip         int    // after leaving out this many: costs time for each, only for page numbers
}

// Plain says that a query is a range of indices, which needs no index.
func (q *Query) Plain() bool {
	return len(q.Types) == 0 && q.Room == nil && q.User == nil && q.Since == 0 && q.Until == 0
}

// Candidates returns the indices of entries that match, in order.
func (x *Index) Candidates(log int64, q Query) ([]uint64, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(q.Types) < 2 {
		return x.candidates(log, q, q.Skip, q.Limit)
	}
	var merged []uint64
	for _, t := range q.Types { // one ordered walk per type: a sort over all of them would read everything
		one := q
		one.Types = []string{t}
		list, err := x.candidates(log, one, 0, q.Skip+q.Limit)
		if err != nil {
			return nil, err
		}
		merged = append(merged, list...)
	}
	slices.Sort(merged)
	merged = slices.Compact(merged)
	if q.Newest {
		slices.Reverse(merged)
	}
	merged = merged[min(q.Skip, len(merged)):]
	return merged[:min(q.Limit, len(merged))], nil
}

func (x *Index) candidates(log int64, q Query, skip, limit int) ([]uint64, error) {
	where, args, possible, err := x.where(log, q)
	if err != nil || !possible {
		return nil, err
	}
	order := "ASC"
	if q.Newest {
		order = "DESC"
	}
	sql := "SELECT at FROM entries " + q.through() + "WHERE " + where + " ORDER BY at " + order + " LIMIT ? OFFSET ?"
	return x.indices(log, sql, append(args, int64(limit), int64(skip)))
}

// through names the index to walk: a room or user has fewer entries than a type.
func (q *Query) through() string {
	switch {
	case q.Room != nil:
		return "INDEXED BY entries_room "
	case q.User != nil:
		return "INDEXED BY entries_user "
	}
	return ""
}

// Count returns how many entries match.
func (x *Index) Count(log int64, q Query) (uint64, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	where, args, possible, err := x.where(log, q)
	if err != nil || !possible {
		return 0, err
	}
	n, _, err := x.one("SELECT count(*) FROM entries WHERE "+where, args...)
	return uint64(n), err
}

// Effects returns the entries that name one of the causes, ascending.
func (x *Index) Effects(log int64, cause uint64, limit int) ([]uint64, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.indices(log, "SELECT effect FROM effects WHERE cause = ? ORDER BY effect LIMIT ?", []int64{log<<logShift | int64(cause), int64(limit)})
}

// ByKey returns the entry that was logged under an idempotency tag.
func (x *Index) ByKey(log int64, key [16]byte) (index uint64, ok bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s, err := x.stmt("SELECT at FROM keys WHERE log = ? AND key = ?")
	if err != nil {
		return 0, false, err
	}
	if err := errors.Join(s.BindInt64(1, log), s.BindBlob(2, key[:])); err != nil {
		return 0, false, err
	}
	if s.Step() {
		return uint64(s.ColumnInt64(0)), true, s.Reset()
	}
	return 0, false, s.Err()
}

// where turns a query into SQL. possible is false when a word is unknown, so that nothing can match.
func (x *Index) where(log int64, q Query) (sql string, args []int64, possible bool, err error) {
	from, to, err := x.bounds(log, q)
	if err != nil || from >= to {
		return "", nil, false, err
	}
	parts, args := []string{"at >= ?", "at < ?"}, []int64{log<<logShift | int64(from), log<<logShift | int64(to)}
	types, some, err := x.typeIDs(log, q.Types)
	if err != nil || !some {
		return "", nil, false, err
	}
	if len(types) > 0 {
		parts = append(parts, "type IN (?"+strings.Repeat(", ?", len(types)-1)+")")
		args = append(args, types...)
	}
	for _, f := range []struct {
		column string
		kind   int
		want   *[16]byte
	}{{"room", wordRoom, q.Room}, {"user", wordUser, q.User}} {
		if f.want == nil {
			continue
		}
		id, ok, err := x.findWord(log, f.kind, f.want[:])
		if err != nil || !ok {
			return "", nil, false, err
		}
		parts, args = append(parts, f.column+" = ? AND "+f.column+" != 0"), append(args, id)
	}
	return strings.Join(parts, " AND "), args, true, nil
}

func (x *Index) typeIDs(log int64, types []string) (ids []int64, some bool, err error) {
	for _, t := range types {
		id, ok, err := x.findWord(log, wordType, []byte(t))
		if err != nil {
			return nil, false, err
		}
		if ok {
			ids = append(ids, id)
		}
	}
	return ids, len(ids) > 0 || len(types) == 0, nil
}

// Bounds returns the range of indices that a query's index and time bounds leave.
func (x *Index) Bounds(log int64, q Query) (from, to uint64, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.bounds(log, q)
}

// bounds turns times into indices. Time never falls along a log, so a search by halves over the primary key replaces an
// index on time.
func (x *Index) bounds(log int64, q Query) (from, to uint64, err error) {
	from, to = q.From, q.To
	if q.Since > 0 {
		if from, err = x.firstAtOrAfter(log, from, to, q.Since); err != nil {
			return 0, 0, err
		}
	}
	if q.Until > 0 {
		to, err = x.firstAtOrAfter(log, from, to, q.Until)
	}
	return from, to, err
}

func (x *Index) firstAtOrAfter(log int64, lo, hi, time uint64) (uint64, error) {
	for lo < hi {
		mid := lo + (hi-lo)/2
		t, ok, err := x.one("SELECT time FROM entries WHERE at = ?", log<<logShift|int64(mid))
		if err != nil {
			return 0, err
		}
		if !ok || uint64(t) >= time {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo, nil
}

func (x *Index) one(sql string, args ...int64) (int64, bool, error) {
	s, err := x.stmt(sql)
	if err != nil {
		return 0, false, err
	}
	for i, a := range args {
		if err := s.BindInt64(i+1, a); err != nil {
			return 0, false, err
		}
	}
	if s.Step() {
		return s.ColumnInt64(0), true, s.Reset()
	}
	return 0, false, s.Err()
}

func (x *Index) indices(log int64, sql string, args []int64) (out []uint64, err error) {
	s, err := x.stmt(sql)
	if err != nil {
		return nil, err
	}
	for i, a := range args {
		if err := s.BindInt64(i+1, a); err != nil {
			return nil, err
		}
	}
	for s.Step() {
		out = append(out, uint64(s.ColumnInt64(0)-log<<logShift))
	}
	return out, errors.Join(s.Err(), s.Reset())
}
