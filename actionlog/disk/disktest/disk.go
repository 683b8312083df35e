// Package disktest is a disk in memory that can be as bad as a real one: it fails any call, loses, tears and reorders
// what was not synced, and lets a test put old bytes back. It must never be linked into the binary.
package disktest

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"sync"

	"github.com/teapot-tee/teapot/actionlog/disk"
)

// Sector is the unit in which a write can be torn.
const Sector = 512

// Call is one call of the file system, before it happens.
type Call struct {
	N    int    // how many calls came before
	Op   string // "open", "create", "read", "write", "sync", "truncate", "syncdir", "rename", "remove", "readdir", "mkdir", "size", "lock"
	Name string
}

// Disk is a disk.FS.
type Disk struct {
	mu      sync.Mutex
	now     map[string]*node // what a process sees
	durable map[string]*node // names that survive a crash for sure
	changes []change         // of names, since then
	calls   int
	locked  bool
	// Fault is asked before every call; an error makes the call fail. A write that fails with ErrShort writes half.
	Fault func(Call) error
}

// ErrShort makes a write stop halfway.
var ErrShort = fmt.Errorf("short write: %w", io.ErrShortWrite)

type node struct {
	data    []byte // what a process sees
	synced  []byte // what survives a crash for sure
	pending []write
}

type write struct {
	off  int64
	data []byte
}

type change struct{ name, from string } // from "": remove or create by node

// New returns an empty disk.
func New() *Disk { return &Disk{now: map[string]*node{}, durable: map[string]*node{}} }

func (d *Disk) ask(op, name string) error {
	c := Call{d.calls, op, name}
	d.calls++
	if d.Fault == nil {
		return nil
	}
	return d.Fault(c)
}

// Calls returns how many calls were made.
func (d *Disk) Calls() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}

func (d *Disk) MkdirAll(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ask("mkdir", name)
}

func (d *Disk) ReadDir(name string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("readdir", name); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for file := range d.now {
		for at := file; at != "."; at = path.Dir(at) {
			if path.Dir(at) == path.Clean(name) {
				seen[path.Base(at)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil
}

func (d *Disk) Open(name string) (disk.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("open", name); err != nil {
		return nil, err
	}
	n, ok := d.now[path.Clean(name)]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{d, n, name}, nil
}

func (d *Disk) Create(name string) (disk.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("create", name); err != nil {
		return nil, err
	}
	name = path.Clean(name)
	if _, ok := d.now[name]; ok {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	n := &node{}
	d.now[name] = n
	d.changes = append(d.changes, change{name: name})
	return &file{d, n, name}, nil
}

func (d *Disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("rename", from); err != nil {
		return err
	}
	from, to = path.Clean(from), path.Clean(to)
	n, ok := d.now[from]
	if !ok {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	delete(d.now, from)
	d.now[to] = n
	d.changes = append(d.changes, change{name: to, from: from})
	return nil
}

func (d *Disk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("remove", name); err != nil {
		return err
	}
	name = path.Clean(name)
	if _, ok := d.now[name]; !ok {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(d.now, name)
	d.changes = append(d.changes, change{name: name})
	return nil
}

func (d *Disk) SyncDir(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("syncdir", name); err != nil {
		return err
	}
	d.durable, d.changes = maps.Clone(d.now), nil
	return nil
}

func (d *Disk) Lock(name string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.ask("lock", name); err != nil {
		return nil, err
	}
	if d.locked {
		return nil, disk.ErrLocked
	}
	d.locked = true
	return unlock{d}, nil
}

type unlock struct{ d *Disk }

func (u unlock) Close() error {
	u.d.mu.Lock()
	defer u.d.mu.Unlock()
	u.d.locked = false
	return nil
}

type file struct {
	d    *Disk
	n    *node
	name string
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.ask("read", f.name); err != nil {
		return 0, err
	}
	if off >= int64(len(f.n.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.n.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	err := f.d.ask("write", f.name)
	if err == ErrShort { //nolint:errorlint // exactly ours
		p = p[:len(p)/2]
	} else if err != nil {
		return 0, err
	}
	f.n.data = overlay(f.n.data, p, off)
	f.n.pending = append(f.n.pending, write{off, slices.Clone(p)})
	return len(p), err
}

func overlay(data, p []byte, off int64) []byte {
	if need := int(off) + len(p); need > len(data) {
		data = append(data, make([]byte, need-len(data))...)
	}
	copy(data[off:], p)
	return data
}

func (f *file) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.ask("sync", f.name); err != nil {
		return err
	}
	f.n.synced, f.n.pending = slices.Clone(f.n.data), nil
	return nil
}

func (f *file) Size() (int64, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return int64(len(f.n.data)), f.d.ask("size", f.name)
}

// Truncate is durable with the next Sync; a crash before may bring the old length back.
func (f *file) Truncate(size int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.ask("truncate", f.name); err != nil {
		return err
	}
	if size < int64(len(f.n.data)) {
		f.n.data = f.n.data[:size]
	}
	return nil
}

func (f *file) Close() error { return nil }

// Copy returns an independent disk with what a process sees now, all of it durable: after kill -9, or a copy put back.
func (d *Disk) Copy() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := New()
	for name, n := range d.now {
		out.now[name] = &node{data: slices.Clone(n.data), synced: slices.Clone(n.data)}
	}
	out.durable = maps.Clone(out.now)
	return out
}

// Crash returns the disk as it may be after a power failure: names changed since the last SyncDir are there up to some
// point, and of the writes since each file's last sync any sectors arrived, in any order.
func (d *Disk) Crash(r *rand.Rand) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := d.namesAfter(r)
	out := New()
	for name, n := range names {
		data := n.torn(r)
		out.now[name] = &node{data: data, synced: slices.Clone(data)}
	}
	out.durable = maps.Clone(out.now)
	return out
}

func (d *Disk) namesAfter(r *rand.Rand) map[string]*node {
	kept := r.IntN(len(d.changes) + 1)
	if kept == len(d.changes) {
		return d.now
	}
	names := maps.Clone(d.durable)
	for _, c := range d.changes[:kept] {
		switch {
		case c.from != "":
			if n, ok := names[c.from]; ok {
				names[c.name] = n
				delete(names, c.from)
			}
		case names[c.name] != nil:
			delete(names, c.name)
		case d.now[c.name] != nil:
			names[c.name] = d.now[c.name]
		default:
			names[c.name] = &node{}
		}
	}
	return names
}

// torn applies a random part of the pending writes: none, all, or sector by sector.
func (n *node) torn(r *rand.Rand) []byte {
	data := slices.Clone(n.synced)
	odds := [...]float64{0, 1, 0.5, 0.9, 0.1}[r.IntN(5)]
	for _, w := range n.pending {
		for off := int64(0); off < int64(len(w.data)); {
			end := min((w.off+off)/Sector*Sector+Sector-w.off, int64(len(w.data)))
			if r.Float64() < odds {
				data = overlay(data, w.data[off:end], w.off+off)
			}
			off = end
		}
	}
	return data
}

// Files returns the names of all files, sorted.
func (d *Disk) Files() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.now))
}

// Read returns a copy of a file's bytes.
func (d *Disk) Read(name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.now[name].data)
}

// Put replaces a file behind the process's back; nil removes it.
func (d *Disk) Put(name string, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if data == nil {
		delete(d.now, name)
		return
	}
	d.now[name] = &node{data: slices.Clone(data), synced: slices.Clone(data)}
}
