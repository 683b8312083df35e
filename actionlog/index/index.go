// Package index is the query index of the action log: an encrypted SQLite file that says which entries may match. It
// alone imports the driver.
//
// It is a projection and is not trusted: it holds no contents, its answers are candidates that the caller reads from
// the frames and compares, and it may be deleted at any time. The encryption (Adiantum) hides; it does not authenticate.
//
// One connection, locked exclusively, with a persisting rollback journal and full syncs: the one set of options that
// survives kills on Gramine's encrypted mounts too (facts/gramine.md section 12).
package index

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/vfs/adiantum" // the encrypting VFS
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
	mu    sync.Mutex
	conn  *sqlite3.Conn
	stmts map[string]*sqlite3.Stmt
	words map[wordKey]int64
	inTx  bool
	path  string
}

type wordKey struct {
	log  int64
	kind int
	word string
}

// Open opens or makes the index; path "" keeps it in memory. A file that cannot be used (another key, damage, an older
// version) is deleted and begun anew: fresh says so.
func Open(path string, key [32]byte) (x *Index, fresh bool, err error) {
	if x, err = open(path, key); err == nil {
		return x, false, nil
	}
	if err := Remove(path); err != nil {
		return nil, false, err
	}
	x, err = open(path, key)
	return x, true, err
}

// Remove deletes the file and its journal.
func Remove(path string) error {
	if path == "" {
		return nil
	}
	for _, suffix := range []string{"", "-journal", "-wal"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing the query index: %w", err)
		}
	}
	return nil
}

func open(path string, key [32]byte) (*Index, error) {
	name := ":memory:"
	if path != "" {
		name = "file:" + (&url.URL{Path: path}).EscapedPath() + "?vfs=adiantum&nolock=1"
	}
	conn, err := sqlite3.OpenFlags(name, sqlite3.OPEN_READWRITE|sqlite3.OPEN_CREATE|sqlite3.OPEN_URI)
	if err != nil {
		return nil, fmt.Errorf("opening the query index: %w", err)
	}
	x := &Index{conn: conn, stmts: map[string]*sqlite3.Stmt{}, words: map[wordKey]int64{}, path: path}
	if err := x.setUp(path, key); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the query index: %w", err), conn.Close())
	}
	return x, nil
}

func (x *Index) setUp(path string, key [32]byte) error {
	if path != "" {
		if err := x.conn.Exec("PRAGMA hexkey='" + hex.EncodeToString(key[:]) + "'"); err != nil {
			return err
		}
	}
	err := x.conn.Exec(`PRAGMA locking_mode=exclusive; PRAGMA journal_mode=persist; PRAGMA synchronous=full;
PRAGMA temp_store=memory; PRAGMA cache_size=-16000; PRAGMA journal_size_limit=-1`)
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

// Close commits nothing and closes the file.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	var errs []error
	for _, s := range x.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, x.conn.Close())...)
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
