//go:build linux

package devattest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Fifos plays pseudo-files with named pipes. Whoever opens one for reading waits until its content is made, as with the real
// file. A pipe is replaced by a fresh one as soon as somebody is at its other end, so that one reader never gets another's bytes;
// only two that open in the very same moment do. Use FUSE where it is there.
type Fifos struct {
	dir     string
	serial  atomic.Uint64
	closed  atomic.Bool
	workers sync.WaitGroup

	mu      sync.Mutex
	names   []string  // guarded by mu: what can be read
	intakes []*intake // guarded by mu: what can be written
}

// intake is a file that can be written.
type intake struct {
	name string
	take func([]byte)

	mu     sync.Mutex
	fd     int // guarded by mu: non-blocking read end of the pipe that writers find now
	taking int // guarded by mu: writers whose value is being read
}

// NewFifos plays in dir, which must exist.
func NewFifos(dir string) *Fifos { return &Fifos{dir: dir} }

// Reads plays a file that can be read; content is asked for each time it is opened. When it fails the reader gets an empty file.
func (f *Fifos) Reads(name string, content func() ([]byte, error)) error {
	if err := f.renew(name); err != nil {
		return err
	}
	f.mu.Lock()
	f.names = append(f.names, name)
	f.mu.Unlock()
	f.workers.Go(func() {
		for f.answer(name, content) == nil {
		}
	})
	return nil
}

func (f *Fifos) answer(name string, content func() ([]byte, error)) error {
	pipe, err := os.OpenFile(f.path(name), os.O_WRONLY, 0) // waits for a reader
	if err != nil {
		return err // the directory is gone
	}
	defer pipe.Close()
	if f.closed.Load() {
		return os.ErrClosed
	}
	err = f.renew(name)
	if raw, contentErr := content(); contentErr == nil {
		_, _ = pipe.Write(raw) // the reader went away: nobody is left to tell
	}
	return err
}

// Writes plays a file that can be written; take gets what one writer wrote.
func (f *Fifos) Writes(name string, take func([]byte)) error {
	in := &intake{name: name, take: take}
	if err := f.replace(in); err != nil {
		return err
	}
	f.mu.Lock()
	f.intakes = append(f.intakes, in)
	f.mu.Unlock()
	f.workers.Go(func() {
		for !f.closed.Load() {
			if !ready(in.current(), 100) {
				continue
			}
			if f.receive(in) != nil {
				return
			}
		}
	})
	return nil
}

// receive hands one writer's value on. The pipe is replaced first; taking is raised before, so that Settle never looks away.
func (f *Fifos) receive(in *intake) error {
	in.mu.Lock()
	in.taking++
	fd := in.fd
	in.mu.Unlock()
	err := f.replace(in)
	if raw, readErr := drain(fd); readErr == nil && len(raw) > 0 {
		in.take(raw)
	}
	in.mu.Lock()
	in.taking--
	in.mu.Unlock()
	return errors.Join(err, unix.Close(fd))
}

// replace puts a fresh pipe with an open read end in the place of the old one.
func (f *Fifos) replace(in *intake) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	fresh, err := f.fresh(in.name)
	if err != nil {
		return err
	}
	fd, err := unix.Open(fresh, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening pipe %s: %w", in.name, err)
	}
	in.fd = fd
	return os.Rename(fresh, f.path(in.name))
}

func (in *intake) current() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.fd
}

// busy reports whether something was written that take has not got.
func (in *intake) busy() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.taking > 0 || ready(in.fd, 0)
}

// ready reports whether somebody has written to or left the other end.
func ready(fd, milliseconds int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, milliseconds)
	return err == nil && n > 0
}

// drain reads until the writer has closed.
func drain(fd int) ([]byte, error) {
	var out []byte
	buf := make([]byte, 4096)
	for {
		n, err := unix.Read(fd, buf)
		switch {
		case errors.Is(err, unix.EAGAIN):
			ready(fd, 100)
		case err != nil && !errors.Is(err, unix.EINTR):
			return nil, err
		case n == 0:
			return out, nil
		case len(out) > 1<<20:
			return nil, io.ErrShortBuffer
		}
		out = append(out, buf[:max(n, 0)]...)
	}
}

// Settle waits until what was written before is taken: a writer into a pipe goes on at once, and may open the next file before its
// value was read here. It bounds itself to a second.
func (f *Fifos) Settle() {
	f.mu.Lock()
	intakes := append([]*intake{}, f.intakes...)
	f.mu.Unlock()
	for range 1000 {
		busy := false
		for _, in := range intakes {
			busy = busy || in.busy()
		}
		if !busy {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// renew puts a fresh pipe in the place of the old one, in one step.
func (f *Fifos) renew(name string) error {
	fresh, err := f.fresh(name)
	if err != nil {
		return err
	}
	return os.Rename(fresh, f.path(name))
}

func (f *Fifos) fresh(name string) (string, error) {
	path := filepath.Join(f.dir, fmt.Sprintf(".%s.%d", filepath.Base(name), f.serial.Add(1)))
	if err := unix.Mkfifo(path, 0o666); err != nil {
		return "", fmt.Errorf("making pipe %s: %w", name, err)
	}
	return path, os.Chmod(path, 0o666) // the umask must not decide who may ask
}

func (f *Fifos) path(name string) string { return filepath.Join(f.dir, name) }

// release is a reader for a moment: whoever waits for one goes on and sees that all is over.
func (f *Fifos) release() {
	for _, name := range f.names {
		if fd, err := unix.Open(f.path(name), unix.O_RDONLY|unix.O_NONBLOCK, 0); err == nil {
			_ = unix.Close(fd)
		}
	}
}

// Close lets waiting workers go and removes the pipes.
func (f *Fifos) Close() error {
	f.closed.Store(true)
	f.mu.Lock()
	defer f.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.workers.Wait()
	}()
	for released := false; !released; {
		f.release()
		select {
		case <-done:
			released = true
		case <-time.After(5 * time.Millisecond): // a pipe may just have been replaced
		}
	}
	var errs []error
	for _, in := range f.intakes {
		errs = append(errs, unix.Close(in.current()), os.Remove(f.path(in.name)))
	}
	for _, name := range f.names {
		errs = append(errs, os.Remove(f.path(name)))
	}
	return errors.Join(errs...)
}
