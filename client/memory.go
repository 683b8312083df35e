package client

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/teapot-tee/teapot/internal/filelock"
	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/verify"
)

// Memory is what this machine saw of logs, one small file per (target, agent) and one per origin. Losing it costs the
// second look; whoever can write it can only make checks fail or be forgotten, never make a forgery pass.
type Memory struct{ dir string }

// OpenMemory returns the memory in $TEAPOT_STATE, else $XDG_STATE_HOME/teapot, else ~/.local/state/teapot.
func OpenMemory() (*Memory, error) {
	if dir := os.Getenv("TEAPOT_STATE"); dir != "" {
		return &Memory{dir}, nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return &Memory{filepath.Join(dir, "teapot")}, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, fmt.Errorf("where to remember what was seen: %w: set TEAPOT_STATE", err)
	}
	return &Memory{filepath.Join(home, ".local", "state", "teapot")}, nil
}

// MemoryAt returns the memory in dir.
func MemoryAt(dir string) *Memory { return &Memory{dir} }

// At returns what was seen of this agent at this target; nil if nothing was.
func (m *Memory) At(target, agent string) (*verify.Seen, error) {
	return m.read(m.targetPath(target, agent))
}

// Of returns what was seen of this log anywhere; nil if nothing was.
func (m *Memory) Of(origin string) (*verify.Seen, error) { return m.read(m.originPath(origin)) }

// Remember stores s under its target (if it has one) and under its origin. Call it only after every check passed.
func (m *Memory) Remember(s verify.Seen) error {
	s.Type = verify.SeenType
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	paths := []string{m.originPath(s.Origin)}
	if s.Target != "" {
		paths = append(paths, m.targetPath(s.Target, s.Agent))
	}
	for _, path := range paths {
		if err := m.replace(path, s, text); err != nil {
			return err
		}
	}
	return nil
}

// replace never takes a log back: another look that ended meanwhile may have seen more of it.
func (m *Memory) replace(path string, s verify.Seen, text []byte) error {
	unlock, err := m.lock()
	if err != nil {
		return err
	}
	defer unlock()
	old, err := m.read(path)
	if err != nil {
		return err
	}
	if old != nil && old.Origin == s.Origin && sizeOf(*old) > sizeOf(s) {
		return nil
	}
	return writeWhole(path, text)
}

// lock keeps other processes from remembering at the same time: each must read what the other wrote.
func (m *Memory) lock() (unlock func(), err error) {
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return nil, fmt.Errorf("remembering what was seen: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(m.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("remembering what was seen: %w", err)
	}
	if err := filelock.Wait(f); err != nil {
		return nil, errors.Join(fmt.Errorf("remembering what was seen: %w", err), f.Close())
	}
	return func() { _ = f.Close() }, nil // closing unlocks
}

func sizeOf(s verify.Seen) uint64 {
	c, err := tlog.ParseCheckpoint(s.Checkpoint)
	if err != nil {
		return 0
	}
	return c.Size
}

// Forget removes what was seen of this agent at this target, and of the log it had there.
func (m *Memory) Forget(target, agent string) error {
	s, err := m.At(target, agent)
	if err != nil {
		return err
	}
	paths := []string{m.targetPath(target, agent)}
	if s != nil {
		paths = append(paths, m.originPath(s.Origin))
	}
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// KeepFork stores evidence of a fork and returns its path. It is never overwritten: the name is its hash.
func (m *Memory) KeepFork(evidence []byte) (string, error) {
	path := filepath.Join(m.dir, "forks", nameOf(evidence)+".json")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, writeWhole(path, evidence)
}

func (m *Memory) targetPath(target, agent string) string {
	return filepath.Join(m.dir, "targets", nameOf([]byte(target+"\n"+agent))+".json")
}

func (m *Memory) originPath(origin string) string {
	return filepath.Join(m.dir, "origins", nameOf([]byte(origin))+".json")
}

func nameOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

func (m *Memory) read(path string) (*verify.Seen, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what was seen before: %w", err)
	}
	var s verify.Seen
	if err := json.Unmarshal(text, &s); err != nil || s.Type != verify.SeenType {
		return nil, fmt.Errorf("reading what was seen before: %s is damaged: look at it, then remove it to start over (the next look will be a first look)", path)
	}
	return &s, nil
}

// writeWhole writes so that a reader finds the old file or the new one, also after a crash.
func writeWhole(path string, text []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("remembering what was seen: %w", err)
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return fmt.Errorf("remembering what was seen: %w", err)
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(text); err != nil {
		return errors.Join(fmt.Errorf("remembering what was seen: %w", err), f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("remembering what was seen: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("remembering what was seen: %w", err)
	}
	return nil
}

// RememberAll stores what a verdict allows to remember and keeps fork evidence; it returns the paths of that evidence.
func (m *Memory) RememberAll(r verify.Result) (forks []string, err error) {
	for _, doc := range r.Forks {
		path, err := m.KeepFork(doc)
		if err != nil {
			return forks, err
		}
		forks = append(forks, path)
	}
	for _, s := range r.Remember {
		if err := m.Remember(s); err != nil {
			return forks, err
		}
	}
	return forks, nil
}
