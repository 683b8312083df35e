package actionlog

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/teapot-tee/teapot/actionlog/disk"
	"github.com/teapot-tee/teapot/actionlog/segment"
)

// Options of a store. The zero value of every field but Dir is safe.
type Options struct {
	Dir      string           // the data directory; made if missing
	Platform string           // recorded at the first start; another one is refused
	IndexKey [32]byte         // encrypts the query index; zero: a random key, so that each start builds the index anew
	Now      func() time.Time // nil: time.Now
	Queue    int              // entries that may wait per log before Append answers ErrBusy; 0: 8192
	// Fatal is called once, in its own goroutine, when a write or sync failed. The process must end: the state of the
	// disk is unknown, and the store refuses everything from then on.
	Fatal func(error)
	// Grow writes segments without preallocation; implied by platform gramine-sgx.
	Grow bool
	// FS replaces the operating system's files; for tests.
	FS disk.FS
}

// Store holds the logs of one data directory. One process at a time may have it open.
type Store struct {
	opts   Options
	fs     disk.FS
	lock   io.Closer
	commit *committer
	index  *projector
	// searching is held by the one text search of a stranger that runs.
	searching chan struct{}

	mu   sync.Mutex
	logs map[string]*Log // by directory
	dead error           // set once: why nothing is accepted any more
	lost error           // set once: the write that failed
}

// Errors a caller may want to tell apart. All others are described by their text.
var (
	ErrBusy      = errors.New("the log's queue is full: entries come faster than the disk takes them; try again shortly")
	ErrStopped   = errors.New("the log has stopped")
	ErrNotBooted = errors.New("the log has no boot leaf of this start yet")
	ErrNotFound  = errors.New("no such entry")
	ErrConflict  = errors.New("idempotency key was used for another entry")
)

// Refused is a start that would not be safe, with words for the operator.
type Refused struct{ What, Next string }

func (r *Refused) Error() string { return r.What + ": " + r.Next }

const defaultQueue = 8192

// Open opens the data directory and takes its lock.
func Open(o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Queue <= 0 {
		o.Queue = defaultQueue
	}
	if o.Platform == "gramine-sgx" {
		o.Grow = true
	}
	fsys := o.FS
	if fsys == nil {
		os, err := disk.OpenOS(o.Dir)
		if err != nil {
			return nil, fmt.Errorf("opening data directory: %w", err)
		}
		fsys = os
	}
	s := &Store{opts: o, fs: fsys, logs: map[string]*Log{}, searching: make(chan struct{}, 1)}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.release())
	}
	return s, nil
}

func (s *Store) open() error {
	lock, err := s.fs.Lock("LOCK")
	if errors.Is(err, disk.ErrLocked) {
		return &Refused{fmt.Sprintf("the data directory %s is in use", s.opts.Dir), "another teapot process holds it; stop that one, or use a directory of its own"}
	}
	if err != nil {
		return fmt.Errorf("locking data directory: %w", err)
	}
	s.lock = lock
	if err := s.checkPlatform(); err != nil {
		return err
	}
	if err := errors.Join(s.fs.MkdirAll("logs"), s.fs.SyncDir(".")); err != nil {
		return fmt.Errorf("making data directory: %w", err)
	}
	s.index = newProjector(s.fs, s.indexKey())
	s.commit = newCommitter()
	return nil
}

func (s *Store) indexKey() [32]byte {
	key := s.opts.IndexKey
	if key == [32]byte{} {
		rand.Read(key[:])
	}
	return key
}

// record is the file store.json.
type record struct {
	Format   string `json:"format"`
	Platform string `json:"platform"`
}

const storeFormat = "teapot-actionlog/1"

func (s *Store) checkPlatform() error {
	b, err := disk.ReadFile(s.fs, "store.json", 1<<12)
	if errors.Is(err, fs.ErrNotExist) {
		return s.recordPlatform()
	}
	if err != nil {
		return fmt.Errorf("reading store.json: %w", err)
	}
	var r record
	if err := json.Unmarshal(b, &r); err != nil || r.Format != storeFormat {
		return &Refused{"store.json does not say " + storeFormat, "this directory is not an action log of this version, or the file is damaged; use another directory or put the file back"}
	}
	if r.Platform != s.opts.Platform {
		return &Refused{
			fmt.Sprintf("this data directory was made on platform %q and this is platform %q", r.Platform, s.opts.Platform),
			"start it where it was made, or choose another directory; its keys exist only there",
		}
	}
	return nil
}

// recordPlatform refuses a directory that already holds logs: then store.json was lost, not never there.
func (s *Store) recordPlatform() error {
	names, err := s.fs.ReadDir("logs")
	if err != nil {
		return fmt.Errorf("reading data directory: %w", err)
	}
	if len(names) > 0 {
		return &Refused{"the directory holds logs but no store.json", "put store.json back; it says on which platform the logs were written"}
	}
	b, err := json.Marshal(record{storeFormat, s.opts.Platform})
	if err != nil {
		return err
	}
	return disk.Replace(s.fs, ".", "store.json", append(b, '\n'))
}

// fail stops the store for good.
func (s *Store) fail(err error) error {
	s.mu.Lock()
	first := s.lost == nil
	if first {
		s.lost = fmt.Errorf("%w after a failed write; what the disk holds is unknown, so the process must end and recover at its next start: %w", ErrStopped, err)
	}
	lost := s.lost
	s.dead = lost
	s.mu.Unlock()
	if first && s.opts.Fatal != nil {
		go s.opts.Fatal(lost)
	}
	return lost
}

// broken says which write failed; nothing is written after it.
func (s *Store) broken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// Err says why the store accepts nothing any more; nil while it does.
func (s *Store) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

// Close waits for what was accepted, closes the files and gives the directory back.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.dead == nil {
		s.dead = fmt.Errorf("%w: it was closed", ErrStopped)
	}
	s.mu.Unlock()
	return s.release()
}

func (s *Store) release() error {
	var errs []error
	if s.commit != nil {
		s.commit.close()
	}
	if s.index != nil {
		errs = append(errs, s.index.close())
	}
	for _, l := range s.logs {
		errs = append(errs, l.close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	if c, ok := s.fs.(io.Closer); ok {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// asRefused gives damage found by package segment the words of a refused start.
func asRefused(log, dir string, err error) error {
	var f *segment.Fault
	if errors.As(err, &f) {
		return &Refused{"log " + log + " in " + dir + ": " + f.What, f.Next}
	}
	return err
}
