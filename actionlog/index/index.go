// Package index is the query index of the action log: an encrypted SQLite file that says which entries may match.
// Beside it only package legacy imports the driver.
//
// It is a projection and is not trusted: it holds no contents, its answers are candidates that the caller reads from
// the frames and compares, and it may be deleted at any time. The encryption (Adiantum) hides; it does not
// authenticate, so a hash of every page is kept in memory and, sealed, beside the file after a clean close. An index
// that was not closed cleanly is built anew: that needs no journal and no syncs, survives kills on Gramine's encrypted
// mounts (facts/gramine.md section 12), and leaves a host nothing to put back.
package index

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/ncruces/go-sqlite3/vfs/adiantum"

	"github.com/teapot-tee/teapot/actionlog/disk"
)

const version = 1

// Rows of every log share the tables: at = log id << logShift | index, so each secondary index is ordered by entry
// within a log, and dictionary ids belong to one log.
const (
	logShift = 44
	schema   = `
CREATE TABLE logs(id INTEGER PRIMARY KEY, origin TEXT NOT NULL UNIQUE, applied INTEGER NOT NULL);
CREATE TABLE words(id INTEGER PRIMARY KEY, log INTEGER NOT NULL, kind INTEGER NOT NULL, word BLOB NOT NULL, UNIQUE(log, kind, word));
CREATE TABLE entries(at INTEGER PRIMARY KEY, time INTEGER NOT NULL, type INTEGER NOT NULL, room INTEGER NOT NULL, user INTEGER NOT NULL);
CREATE INDEX entries_type ON entries(type);
CREATE INDEX entries_room ON entries(room) WHERE room != 0;
CREATE INDEX entries_user ON entries(user) WHERE user != 0;
CREATE TABLE effects(cause INTEGER NOT NULL, effect INTEGER NOT NULL, PRIMARY KEY(cause, effect)) WITHOUT ROWID;
CREATE TABLE keys(key BLOB NOT NULL, log INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY(log, key)) WITHOUT ROWID;
`
)

// Kinds of words.
const (
	wordType = 1
	wordRoom = 2
	wordUser = 3
)

// Row is what the index keeps of one entry.
type Row struct {
	Index      uint64
	Time       uint64
	Type       string
	Room, User [16]byte
	Cause      []uint64
	Key        *[16]byte // idempotency tag
}

// Index is safe for concurrent use; its calls take turns on the one connection.
type Index struct {
	fs   disk.FS
	key  [32]byte
	file *pages

	mu    sync.Mutex
	conn  *sqlite3.Conn
	stmts map[string]*sqlite3.Stmt
	words map[wordKey]int64
	inTx  bool
	bad   bool // something failed: not to be kept
}

type wordKey struct {
	log  int64
	kind int
	word string
}

// Open opens the index in the root of fsys, or begins an empty one where there is none that was closed cleanly under
// this key.
func Open(fsys disk.FS, key [32]byte) (*Index, error) {
	x, err := open(fsys, key)
	if err == nil {
		return x, nil
	}
	if again := remove(fsys); again != nil {
		return nil, errors.Join(err, again)
	}
	return open(fsys, key)
}

func open(fsys disk.FS, key [32]byte) (*Index, error) {
	file, err := openFile(fsys, key)
	if err != nil {
		return nil, err
	}
	x := &Index{fs: fsys, key: key, file: file, stmts: map[string]*sqlite3.Stmt{}, words: map[wordKey]int64{}}
	if err := x.connect(); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the query index: %w", err), file.file.Close())
	}
	return x, nil
}

// connect gives SQLite its file through a VFS of its own: registered under a name for the time of the opening only.
func (x *Index) connect() (err error) {
	name := fmt.Sprintf("teapot-%p", x)
	vfs.Register(name, adiantum.Wrap(single{x.file}, nil))
	defer vfs.Unregister(name)
	x.conn, err = sqlite3.OpenFlags("file:"+fileName+"?vfs="+name, sqlite3.OPEN_READWRITE|sqlite3.OPEN_CREATE|sqlite3.OPEN_URI)
	if err != nil {
		return err
	}
	if err := x.setUp(); err != nil {
		return errors.Join(err, x.conn.Close())
	}
	return nil
}

func (x *Index) setUp() error {
	err := x.conn.Exec("PRAGMA hexkey='" + hex.EncodeToString(x.key[:]) + "'")
	if err != nil {
		return err
	}
	err = x.conn.Exec(`PRAGMA page_size=4096; PRAGMA locking_mode=exclusive; PRAGMA journal_mode=off; PRAGMA synchronous=off;
PRAGMA temp_store=memory; PRAGMA cache_size=-16000`)
	if err != nil {
		return err
	}
	v, err := x.number("PRAGMA user_version")
	if err != nil {
		return err
	}
	switch v {
	case version:
		return nil
	case 0:
		return x.conn.Exec("BEGIN;" + schema + fmt.Sprintf("PRAGMA user_version=%d; COMMIT", version))
	}
	return fmt.Errorf("version %d, this is version %d", v, version)
}

func (x *Index) number(sql string) (int64, error) {
	s, _, err := x.conn.Prepare(sql)
	if err != nil {
		return 0, err
	}
	if !s.Step() {
		return 0, errors.Join(errors.New("no answer to "+sql), s.Err(), s.Close())
	}
	return s.ColumnInt64(0), s.Close()
}

// stmt returns a prepared statement, reset.
func (x *Index) stmt(sql string) (*sqlite3.Stmt, error) {
	if s, ok := x.stmts[sql]; ok {
		return s, s.Reset()
	}
	s, rest, err := x.conn.Prepare(sql)
	if err == nil && strings.TrimSpace(rest) != "" {
		err = errors.New("internal: two statements in one: " + sql)
	}
	if err != nil {
		return nil, err
	}
	x.stmts[sql] = s
	return s, nil
}

// Close commits and keeps the index for the next start, unless something went wrong with it.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	var errs []error
	if x.inTx {
		errs = append(errs, x.exec("COMMIT"))
	}
	for _, s := range x.stmts {
		errs = append(errs, s.Close())
	}
	errs = append(errs, x.conn.Close())
	if errors.Join(errs...) == nil && !x.bad {
		errs = append(errs, x.file.file.Sync())
		if errors.Join(errs...) == nil {
			errs = append(errs, storeTags(x.fs, x.key, x.file.tags))
		}
	}
	return errors.Join(append(errs, x.file.file.Close())...)
}

// Discard closes the index and deletes it.
func (x *Index) Discard() error {
	x.mu.Lock()
	x.bad = true
	x.mu.Unlock()
	_ = x.Close() // it is being thrown away
	return remove(x.fs)
}

// Log returns the id of a log and how many of its entries the index holds.
func (x *Index) Log(origin string) (id int64, applied uint64, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s, err := x.stmt("SELECT id, applied FROM logs WHERE origin = ?")
	if err != nil {
		return 0, 0, err
	}
	if err := s.BindText(1, origin); err != nil {
		return 0, 0, err
	}
	if s.Step() {
		id, applied = s.ColumnInt64(0), uint64(s.ColumnInt64(1))
		return id, applied, s.Reset()
	}
	if err := s.Err(); err != nil {
		return 0, 0, err
	}
	return x.addLog(origin)
}

func (x *Index) addLog(origin string) (int64, uint64, error) {
	s, err := x.stmt("INSERT INTO logs(origin, applied) VALUES(?, 0)")
	if err != nil {
		return 0, 0, err
	}
	if err := s.BindText(1, origin); err != nil {
		return 0, 0, err
	}
	if err := s.Exec(); err != nil {
		return 0, 0, err
	}
	return x.conn.LastInsertRowID(), 0, nil
}
