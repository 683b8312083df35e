package memory

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/teapot-tee/teapot/actionlog"
)

// read returns the items of a query, each checked against its log entry. A row that fails is left out, deleted and
// reported: a memory that cannot be trusted is no memory.
func (s *Store) read(ctx context.Context, query string, args ...any) ([]Item, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading the memory: %w", err)
	}
	defer func() { _ = rows.Close() }() // rows.Err says what went wrong
	var items []Item
	for rows.Next() {
		var index int64
		var addendum, vector []byte
		if err := rows.Scan(&index, &addendum, &vector); err != nil {
			return nil, fmt.Errorf("reading the memory: %w", err)
		}
		item, err := s.check(ctx, uint64(index), addendum)
		if err != nil {
			s.opts.Logger.WarnContext(ctx, "a memory row was left out", "index", index, "error", err)
			continue
		}
		item.Vector = s.sealer.open(item.Index, vector)
		items = append(items, item)
	}
	return items, rows.Err()
}

// readRoom reads rows of a room, and leaves out those that the file puts there and the log does not.
func (s *Store) readRoom(ctx context.Context, room, query string, args ...any) ([]Item, error) {
	items, err := s.read(ctx, query, append([]any{room}, args...)...)
	return slices.DeleteFunc(items, func(i Item) bool {
		if i.Room != room {
			s.opts.Logger.WarnContext(ctx, "a memory row was left out", "index", i.Index, "error", ErrTampered)
		}
		return i.Room != room
	}), err
}

func (s *Store) check(ctx context.Context, index uint64, addendum []byte) (Item, error) {
	entry, err := s.opts.Log.Entry(ctx, index)
	if err != nil {
		return Item{}, err
	}
	if entry.State == actionlog.ContentErased {
		return Item{}, fmt.Errorf("entry %d was erased", index)
	}
	item, err := open(&entry.Leaf, addendum)
	if err != nil {
		return Item{}, fmt.Errorf("%w: entry %d: %w", ErrTampered, index, err)
	}
	return item, nil
}

// load reads what is kept in the process: everything that Search scans.
func (s *Store) load(ctx context.Context) (err error) {
	s.indexed, err = s.read(ctx, "SELECT idx, addendum, vector FROM items WHERE type IN ('memory','knowledge') ORDER BY idx")
	return err
}

// write is the only writer: it takes what is pending and commits it in one transaction.
func (s *Store) write() {
	defer close(s.done)
	for range s.wake {
		batch, closed := s.take()
		if len(batch) > 0 {
			if err := s.commit(batch); err != nil {
				s.opts.Logger.Error("writing the memory; it will be rebuilt from the log", "error", err)
			}
			s.committed(batch)
		}
		if closed {
			return
		}
	}
}

func (s *Store) take() ([]job, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing, s.pending = s.pending, nil
	s.room.Broadcast()
	return s.writing, s.closed
}

func (s *Store) committed(batch []job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range batch {
		if r, ok := s.rooms[j.item.Room]; ok && conversation(j.item.Type) {
			r.dirty--
		}
	}
	s.writing = nil
	s.room.Broadcast()
}

func (s *Store) commit(batch []job) error {
	tx, err := s.db.Begin()
	if err != nil {
		return err
	}
	if err := s.insert(tx, batch); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (s *Store) insert(tx *sql.Tx, batch []job) error {
	stmt, err := tx.Prepare("INSERT OR REPLACE INTO items(idx, type, room, addendum, vector) VALUES(?,?,?,?,?)")
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }() // the transaction says what went wrong
	for _, j := range batch {
		if _, err := stmt.Exec(int64(j.item.Index), j.item.Type, j.item.Room, blob(j.addendum), s.sealer.seal(j.item.Index, j.item.Vector)); err != nil {
			return err
		}
	}
	return nil
}

// blob is never NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Flush waits until everything that was added is on disk.
func (s *Store) Flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for (len(s.pending) > 0 || s.writing != nil) && !s.closed {
		s.signal()
		s.room.Wait()
	}
}

// Last returns the greatest index on disk; ok is false for an empty memory.
func (s *Store) Last(ctx context.Context) (index uint64, ok bool, err error) {
	var last sql.NullInt64
	if err := s.db.QueryRowContext(ctx, "SELECT max(idx) FROM items").Scan(&last); err != nil {
		return 0, false, fmt.Errorf("reading the memory: %w", err)
	}
	return uint64(last.Int64), last.Valid, nil
}

// Count returns the number of items on disk.
func (s *Store) Count(ctx context.Context) (n int, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT count(*) FROM items").Scan(&n)
	return n, err
}

// Clear forgets everything, so that it can be rebuilt.
func (s *Store) Clear(ctx context.Context) error {
	s.Flush()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rooms, s.claims, s.indexed = map[string]*hot{}, map[string]*claim{}, nil
	_, err := s.db.ExecContext(ctx, "DELETE FROM items")
	return err
}

// Forget removes erased entries, in the process and on disk.
func (s *Store) Forget(ctx context.Context, indices []uint64) error {
	s.Flush()
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := func(i Item) bool { return slices.Contains(indices, i.Index) }
	s.indexed = slices.DeleteFunc(s.indexed, gone)
	for _, r := range s.rooms {
		r.items = slices.DeleteFunc(r.items, gone)
	}
	for _, index := range indices {
		if _, err := s.db.ExecContext(ctx, "UPDATE items SET type='gone', room='', addendum=x'', vector=NULL WHERE idx=?", int64(index)); err != nil {
			return fmt.Errorf("forgetting entry %d: %w", index, err)
		}
	}
	return nil
}

// Room returns what was said in a room, from disk, oldest first, at most limit items before the index.
func (s *Store) Room(ctx context.Context, room string, before uint64, limit int) ([]Item, error) {
	s.Flush()
	items, err := s.readRoom(ctx, room, "SELECT idx, addendum, vector FROM items WHERE room=? AND type IN ('message','reply') AND idx<? ORDER BY idx DESC LIMIT ?", int64(min(before, 1<<62)), limit)
	slices.Reverse(items)
	return items, err
}

// States returns the newest state of every room that has one.
func (s *Store) States(ctx context.Context) (map[string]Item, error) {
	items, err := s.read(ctx, "SELECT idx, addendum, vector FROM items WHERE type='room' ORDER BY idx")
	states := map[string]Item{}
	for _, i := range items {
		states[i.Room] = i
	}
	return states, err
}
