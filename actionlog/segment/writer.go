package segment

import (
	"crypto/cipher"
	"fmt"

	"github.com/teapot-tee/teapot/actionlog/disk"
)

const (
	firstStep = 256 << 10
	lastStep  = 4 << 20
	// largeWrite is where writing zeros first costs more than recording a new length.
	largeWrite = 64 << 10
)

// Name is the file name of segment n; KeysName that of its content keys.
func Name(n uint64) string { return fmt.Sprintf("%08d.segment", n) }

// KeysName is the file name of the content keys of segment n.
func KeysName(n uint64) string { return fmt.Sprintf("%08d.keys", n) }

// Writer appends frames to one segment. It belongs to one goroutine at a time and is dead after its first error.
type Writer struct {
	file   disk.File
	aead   cipher.AEAD
	head   Header
	prev   [TagSize]byte
	number uint64 // of the next frame
	group  uint64 // of the next group
	off    int64
	alloc  int64 // bytes of the file that are known to be there
	grow   bool  // no preallocation
	buf    []byte
	err    error
	fs     disk.FS
	name   string
}

// Create makes the file of a new segment, durable with its header before it returns. With grow the file is not
// preallocated: on Gramine's encrypted mounts zeros cost 150 ms and buy nothing (facts/gramine.md section 12).
func Create(fsys disk.FS, dir string, k Keys, h Header, grow bool) (*Writer, error) {
	name := dir + "/" + Name(h.Number)
	f, err := fsys.Create(name)
	if err != nil {
		return nil, err
	}
	w := &Writer{file: f, aead: k.frame(h), head: h, prev: h.Prev, off: HeaderSize, group: 1, grow: grow, fs: fsys, name: name}
	if err := w.begin(fsys, dir, h.marshal(k)); err != nil {
		f.Close()
		return nil, fmt.Errorf("creating segment %d: %w", h.Number, err)
	}
	return w, nil
}

func (w *Writer) begin(fsys disk.FS, dir string, header []byte) error {
	if _, err := w.file.WriteAt(header, 0); err != nil {
		return err
	}
	w.alloc = HeaderSize
	if err := w.reserve(1); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	return fsys.SyncDir(dir)
}

// reserve writes zeros ahead in steps that double from 256 KiB to 4 MiB: a small log stays small, and a sync of
// written-over bytes is a third cheaper than one that must record a new length. Large writes gain nothing by it, so they
// just grow the file. The caller syncs.
func (w *Writer) reserve(n int64) error {
	if w.grow || n >= largeWrite {
		w.alloc = max(w.alloc, w.off+n)
		return nil
	}
	for w.alloc < w.off+n {
		next := w.alloc/firstStep*firstStep + min(max(w.alloc/firstStep*firstStep, firstStep), lastStep)
		for at := w.alloc; at < next; {
			m, err := w.file.WriteAt(blank(next-at), at)
			if err != nil {
				return err
			}
			at += int64(m)
		}
		w.alloc = next
	}
	return nil
}

func blank(n int64) []byte { return make([]byte, min(n, 1<<20)) }

// Place is where one frame lies.
type Place struct {
	Offset int64
	Length int // header included
}

// Append writes the payloads as one group of frames with one write and makes it durable. It returns where each frame
// lies. Nothing of a group counts before Append returns.
func (w *Writer) Append(payloads [][]byte) ([]Place, error) {
	if w.err != nil {
		return nil, w.err
	}
	places, err := w.append(payloads)
	w.err = err
	return places, err
}

func (w *Writer) append(payloads [][]byte) ([]Place, error) {
	w.buf = w.buf[:0]
	places := make([]Place, 0, len(payloads))
	prev := w.prev[:]
	for i, p := range payloads {
		if len(p) > MaxFrame-64 {
			return nil, fmt.Errorf("internal: frame of %d bytes", len(p))
		}
		at := len(w.buf)
		w.buf, prev = seal(w.buf, w.aead, w.head, frameHead{number: w.number, group: w.group, final: i == len(payloads)-1}, prev, p)
		places = append(places, Place{w.off + int64(at), len(w.buf) - at})
		w.number++
	}
	tag := [TagSize]byte(prev)
	if err := w.reserve(int64(len(w.buf))); err != nil {
		return nil, fmt.Errorf("growing segment %d: %w", w.head.Number, err)
	}
	if n, err := w.file.WriteAt(w.buf, w.off); err != nil || n != len(w.buf) {
		return nil, fmt.Errorf("writing segment %d (%d of %d bytes): %w", w.head.Number, n, len(w.buf), err)
	}
	if err := w.file.Sync(); err != nil {
		return nil, fmt.Errorf("syncing segment %d: %w", w.head.Number, err)
	}
	w.off, w.prev, w.group = w.off+int64(len(w.buf)), tag, w.group+1
	if cap(w.buf) > 8<<20 {
		w.buf = nil
	}
	return places, nil
}

// Trim gives back what was preallocated and not used. Nothing depends on it.
func (w *Writer) Trim() error {
	if w.grow || w.err != nil || w.alloc == w.off {
		return nil
	}
	w.alloc = w.off
	return w.file.Truncate(w.off)
}

// Full reports whether the segment has reached its limit and the next one is due.
func (w *Writer) Full() bool { return w.off >= Limit }

// Last is the tag of the last frame, which the next segment's header names.
func (w *Writer) Last() [TagSize]byte { return w.prev }

// Header returns the segment's header.
func (w *Writer) Header() Header { return w.head }

// Size is the number of bytes in use.
func (w *Writer) Size() int64 { return w.off }

// Reader gives random access to the frames written so far, over the writer's own file: on Gramine's encrypted mounts
// a file must not be open twice. Whoever asks for it releases it; the writer does not close the file.
func (w *Writer) Reader() *Reader {
	return &Reader{file: w.file, aead: w.aead, head: w.head, fs: w.fs, name: w.name}
}
