// Package disk is the part of a file system the action log stands on.
//
// It trusts nothing: every byte read back is checked by the callers (package segment), because the host owns the
// disk. It is an interface so that tests can be the hostile disk: fail any call, tear and reorder what was not
// synced, flip bits, put old files back.
package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/teapot-tee/teapot/internal/filelock"
)

// FS is a directory tree. Names are slash separated and relative to its root.
type FS interface {
	MkdirAll(name string) error
	// ReadDir returns the names in a directory, sorted; a missing directory is empty.
	ReadDir(name string) ([]string, error)
	// Open opens an existing file for reading and writing.
	Open(name string) (File, error)
	// Create makes a new file; one that exists is an error.
	Create(name string) (File, error)
	Rename(from, to string) error
	Remove(name string) error
	// SyncDir makes creations, renames and removals in a directory durable.
	SyncDir(name string) error
	// Lock takes the one lock of the tree or fails at once with ErrLocked. Closing it gives it back.
	Lock(name string) (io.Closer, error)
}

// File is one open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync makes the file's bytes and length durable. After an error nothing is known about them: callers stop.
	Sync() error
	// Truncate cuts the file; bytes beyond size are given up.
	Truncate(size int64) error
	Size() (int64, error)
}

// ErrLocked says that another process holds the lock.
var ErrLocked = filelock.ErrLocked

// OS is the operating system's file system below one directory. os.Root keeps names from leaving it.
type OS struct{ root *os.Root }

// OpenOS opens, and where needed makes, the directory.
func OpenOS(dir string) (*OS, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := syncParent(dir); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &OS{root: root}, nil
}

// syncParent makes a directory that was just made durable in the one above it.
func syncParent(dir string) error {
	whole, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	parent, err := os.Open(filepath.Dir(whole))
	if errors.Is(err, fs.ErrPermission) {
		return nil // not ours to read: then it was not made by us
	}
	if err != nil {
		return err
	}
	return errors.Join(syncDir(parent), parent.Close())
}

// Close releases the directory.
func (o *OS) Close() error { return o.root.Close() }

func (o *OS) MkdirAll(name string) error { return o.root.MkdirAll(name, 0o700) }

func (o *OS) ReadDir(name string) ([]string, error) {
	entries, err := fs.ReadDir(o.root.FS(), filepath.ToSlash(filepath.Clean(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names, err
}

func (o *OS) Open(name string) (File, error) { return o.open(name, os.O_RDWR) }

func (o *OS) Create(name string) (File, error) { return o.open(name, os.O_RDWR|os.O_CREATE|os.O_EXCL) }

func (o *OS) open(name string, flag int) (File, error) {
	f, err := o.root.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (o *OS) Rename(from, to string) error { return o.root.Rename(from, to) }

func (o *OS) Remove(name string) error { return o.root.Remove(name) }

func (o *OS) SyncDir(name string) error {
	d, err := o.root.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return syncDir(d)
}

// Lock keeps out a second opener, in this process too.
func (o *OS) Lock(name string) (io.Closer, error) {
	f, err := o.root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := filelock.Try(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// ReadFile reads a whole file of at most limit bytes.
func ReadFile(fsys FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, errors.New("file is larger than any of its kind can be")
	}
	b := make([]byte, size)
	if n, err := f.ReadAt(b, 0); err != nil && (!errors.Is(err, io.EOF) || n < len(b)) {
		return nil, err
	}
	return b, nil
}

// Replace swaps a small file for a new one: after it returns the new bytes are durable; a crash at any point leaves
// the old bytes or the new ones, whole.
func Replace(fsys FS, dir, name string, b []byte) error {
	tmp := dir + "/" + name + ".new"
	if err := fsys.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := fsys.Create(tmp)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt(b, 0); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := fsys.Rename(tmp, dir+"/"+name); err != nil {
		return err
	}
	return fsys.SyncDir(dir)
}
