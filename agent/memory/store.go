package memory

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	_ "github.com/ncruces/go-sqlite3/vfs/adiantum" // encrypts the file
	_ "github.com/ncruces/go-sqlite3/vfs/memdb"    // for stores without a file

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent/record"
)

// Log looks up entries that are checked against the tree.
type Log interface {
	Entry(ctx context.Context, index uint64) (actionlog.Item, error)
	Size() uint64
	Query(ctx context.Context, q actionlog.Query) (actionlog.Page, error)
}

// Options of a store.
type Options struct {
	Path   string   // "" keeps everything in the process, for tests
	Key    [32]byte // encrypts the file and seals vectors
	Log    Log
	Logger *slog.Logger // nil discards
	Rooms  int          // rooms kept in the process; 0 = 2048
	Last   int          // messages kept per room in the process; 0 = 32 (Eliza's conversationLength)
}

// Store is one agent's memory. It is safe for concurrent use.
type Store struct {
	opts   Options
	db     *sql.DB
	sealer sealer
	wake   chan struct{} // tells the writer that something is pending
	done   chan struct{}

	mu      sync.Mutex
	room    *sync.Cond // room in pending
	closed  bool
	pending []job
	writing []job // what the writer took and has not committed yet
	rooms   map[string]*hot
	claims  map[string]*claim // by room; what is not here is on disk
	clock   uint64            // counts uses, for eviction
	indexed []Item            // facts, goals and knowledge with vectors: what Search scans
}

// hot is the part of a room that is kept in the process, oldest first.
type hot struct {
	items []Item
	used  uint64
	dirty int    // items that are not on disk yet
	heard uint64 // messages since this part was read
}

type job struct {
	item     Item
	addendum []byte
}

const maxPending = 1 << 14

const schema = `CREATE TABLE IF NOT EXISTS items(
  idx INTEGER PRIMARY KEY, type TEXT NOT NULL, room TEXT NOT NULL, addendum BLOB NOT NULL, vector BLOB);
CREATE INDEX IF NOT EXISTS items_room ON items(room, type, idx);
CREATE TABLE IF NOT EXISTS progress(applied INTEGER NOT NULL);`

// Open opens or makes the file. A file that cannot be read with this key is an error; delete it to have it rebuilt.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Rooms <= 0 {
		o.Rooms = 2048
	}
	if o.Last <= 0 {
		o.Last = 32
	}
	db, err := openDB(o)
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		err = fmt.Errorf("opening the memory %s: %w (wrong key, or not a memory; delete the file to have it rebuilt from the log)", o.Path, err)
		return nil, errors.Join(err, db.Close())
	}
	seal, err := newSealer(o.Key)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s := &Store{
		opts: o, db: db, sealer: seal, wake: make(chan struct{}, 1), done: make(chan struct{}),
		rooms: map[string]*hot{}, claims: map[string]*claim{},
	}
	s.room = sync.NewCond(&s.mu)
	if err := s.load(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	go s.write()
	return s, nil
}

func openDB(o Options) (*sql.DB, error) {
	dsn := "file:" + o.Path + "?vfs=adiantum"
	if o.Path == "" {
		dsn = "file:/" + rand.Text() + "?vfs=memdb"
	}
	db, err := driver.Open(dsn, func(c *sqlite3.Conn) error {
		pragmas := "PRAGMA journal_mode=wal; PRAGMA synchronous=off; PRAGMA temp_store=memory; PRAGMA busy_timeout=5000; PRAGMA cache_size=-2000"
		if o.Path == "" {
			return c.Exec("PRAGMA temp_store=memory")
		}
		return c.Exec("PRAGMA hexkey='" + hex.EncodeToString(o.Key[:]) + "'; " + pragmas)
	})
	if err != nil {
		return nil, fmt.Errorf("opening the memory %s: %w", o.Path, err)
	}
	db.SetMaxOpenConns(2) // one writes, one reads
	return db, nil
}

// Close writes what is waiting and closes the file.
func (s *Store) Close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	s.signal()
	<-s.done
	return s.db.Close()
}

func (s *Store) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Add remembers an entry that was just appended. It is in the process at once and on disk soon; after a crash the log has it.
func (s *Store) Add(ctx context.Context, i Item, addendum []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.pending) >= maxPending && !s.closed {
		s.room.Wait()
	}
	if s.closed {
		return ErrClosed
	}
	if conversation(i.Type) {
		r, err := s.warm(ctx, i.Room)
		if err != nil {
			return err
		}
		r.push(i, s.opts.Last)
		if i.Type == record.Message {
			r.heard++
		}
		s.note(i)
	}
	if searched(i.Type) {
		s.indexed = append(s.indexed, i)
	}
	s.pending = append(s.pending, job{i, slices.Clone(addendum)})
	s.signal()
	return nil
}

func conversation(kind string) bool { return kind == record.Message || kind == record.Reply }

func searched(kind string) bool { return kind == record.Memory || kind == record.Knowledge }

func (r *hot) push(i Item, last int) {
	r.items = append(r.items, i)
	if len(r.items) > last {
		r.items = slices.Clone(r.items[len(r.items)-last:])
	}
	r.dirty++
}

// Recent returns the last n things said in a room, oldest first.
func (s *Store) Recent(ctx context.Context, room string, n int) ([]Item, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.warm(ctx, room)
	if err != nil {
		return nil, err
	}
	return slices.Clone(r.items[max(0, len(r.items)-n):]), nil
}

// warm returns the room's hot part, read from disk if it has rows there. The caller holds mu.
func (s *Store) warm(ctx context.Context, room string) (*hot, error) {
	s.clock++
	if r, ok := s.rooms[room]; ok {
		r.used = s.clock
		return r, nil
	}
	r := &hot{used: s.clock}
	if c := s.claims[room]; c == nil || !c.fresh {
		items, err := s.readRoom(ctx, room, "SELECT idx, addendum, vector FROM items WHERE room=? AND type IN ('message','reply') ORDER BY idx DESC LIMIT ?", s.opts.Last)
		if err != nil {
			return nil, err
		}
		slices.Reverse(items)
		r.items = items
	}
	s.evict()
	s.rooms[room] = r
	return r, nil
}

// evict makes place for one room: the longest unused of those that are on disk. The caller holds mu.
func (s *Store) evict() {
	if len(s.rooms) < s.opts.Rooms {
		return
	}
	type old struct {
		id   string
		used uint64
	}
	var clean []old
	for id, r := range s.rooms {
		if r.dirty == 0 {
			clean = append(clean, old{id, r.used})
		}
	}
	slices.SortFunc(clean, func(a, b old) int { return cmp.Compare(a.used, b.used) })
	for _, o := range clean[:min(len(clean), 1+s.opts.Rooms/8)] {
		delete(s.rooms, o.id)
	}
}

// Heard counts the messages of a room since it was last read from disk.
func (s *Store) Heard(room string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.rooms[room]; ok {
		return r.heard
	}
	return 0
}
