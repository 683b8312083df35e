package segment

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/teapot-tee/teapot/actionlog/disk"
)

// Reader reads the frames of one segment; safe for concurrent use.
type Reader struct {
	mu   sync.RWMutex
	file disk.File // nil after Release: each Read opens the file anew. Guarded by mu.
	aead cipher.AEAD
	head Header
	fs   disk.FS
	name string
}

// ErrEmpty says that a segment was created but never got its header: a start that was killed at once.
var ErrEmpty = errUnwritten

// Open opens segment n of the log with the given origin hash and checks its header.
func Open(fsys disk.FS, dir string, k Keys, origin [32]byte, n uint64) (*Reader, error) {
	name := dir + "/" + Name(n)
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Fault{"segment " + Name(n) + " is missing", restore}
	}
	if err != nil {
		return nil, err
	}
	h, err := readHeader(f, k, Header{Origin: origin, Number: n})
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Reader{file: f, aead: k.frame(h), head: h, fs: fsys, name: name}, nil
}

func readHeader(f disk.File, k Keys, want Header) (Header, error) {
	b := make([]byte, HeaderSize)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Header{}, fmt.Errorf("reading segment %d: %w", want.Number, err)
	}
	h, err := parseHeader(b[:n], k, want)
	var fault *Fault
	if errors.As(err, &fault) && n < HeaderSize {
		return Header{}, errUnwritten // shorter than a header: the file was never synced
	}
	if errors.Is(err, errUnwritten) {
		return Header{}, neverWritten(f, want.Number)
	}
	return h, err
}

// neverWritten makes sure that nothing follows a header of zeros: a header is durable before the first frame.
func neverWritten(f disk.File, n uint64) error {
	size, err := f.Size()
	if err != nil {
		return err
	}
	rest := make([]byte, 1<<16)
	for at := int64(0); at < size; {
		m, err := f.ReadAt(rest[:min(int64(len(rest)), size-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if !zero(rest[:m]) {
			return &Fault{"segment " + Name(n) + " has frames but no header", restore}
		}
		at += int64(max(m, 1))
	}
	return errUnwritten
}

// Header returns the segment's header.
func (r *Reader) Header() Header { return r.head }

// Release closes the file; the reader opens it again for each Read, so that a log of many segments holds few open.
func (r *Reader) Release() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}

// Read opens the frame at a place. The tag of the frame before it, part of what is authenticated, lies
// before it, with only the end mark between.
func (r *Reader) Read(p Place) ([]byte, error) {
	lead := TagSize + endSize
	if p.Offset == HeaderSize {
		lead = 0
	}
	b := make([]byte, lead+p.Length)
	if err := r.readAt(b, p.Offset-int64(lead)); err != nil {
		return nil, fmt.Errorf("reading segment %d: %w", r.head.Number, err)
	}
	prev := r.head.Prev[:]
	if lead > 0 {
		prev = b[:TagSize]
	}
	payload, ok := open(r.aead, r.head, b[lead:], prev)
	if !ok {
		return nil, &Fault{fmt.Sprintf("segment %s, byte %d: the frame was changed on disk while the log was running", Name(r.head.Number), p.Offset), restore}
	}
	return payload, nil
}

func (r *Reader) readAt(b []byte, off int64) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	f := r.file
	if f == nil {
		opened, err := r.fs.Open(r.name)
		if err != nil {
			return err
		}
		defer opened.Close()
		f = opened
	}
	_, err := f.ReadAt(b, off)
	return err
}

// Frame is one frame as a scan finds it.
type Frame struct {
	Place   Place
	Final   bool // the last of its group: nothing of a group counts before its last frame is there
	Tag     [TagSize]byte
	Payload []byte // stays as it is; keeping it keeps up to 4 MiB
}

// Scan walks the frames in order and calls each with every frame that opens. It ends without error at the first
// place that was never written, or that can be told to be the torn end of the last write; anything else that does
// not open is a Fault.
func (r *Reader) Scan(each func(Frame) error) error {
	size, err := r.file.Size()
	if err != nil {
		return fmt.Errorf("reading segment %d: %w", r.head.Number, err)
	}
	s := &scanner{r: r, off: HeaderSize, prev: r.head.Prev, group: 1, size: size}
	for {
		f, more, err := s.next()
		if err != nil || !more {
			return err
		}
		if err := each(f); err != nil {
			return err
		}
	}
}

type scanner struct {
	r      *Reader
	off    int64 // of the next frame
	number uint64
	group  uint64 // of the next frame
	prev   [TagSize]byte
	buf    []byte // file bytes from bufAt on
	bufAt  int64
	size   int64
	end    bool // buf reaches the end of the file
}

// window returns up to n bytes at the current offset; fewer only at the end of the file.
func (s *scanner) window(n int) ([]byte, error) {
	have := s.bufAt + int64(len(s.buf)) - s.off
	if have < int64(n) && !s.end {
		want := max(n, int(min(4<<20, s.size-s.off+1)))
		fresh := make([]byte, want)
		m, err := s.r.file.ReadAt(fresh, s.off)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("reading segment %d: %w", s.r.head.Number, err)
		}
		s.buf, s.bufAt, s.end = fresh[:m], s.off, m < want
	}
	b := s.buf[s.off-s.bufAt:]
	return b[:min(n, len(b))], nil
}

func (s *scanner) next() (Frame, bool, error) {
	head, err := s.window(frameHeader)
	if err != nil {
		return Frame{}, false, err
	}
	h, ok := parseFrameHead(head)
	if !ok || h.number != s.number || h.group != s.group {
		return Frame{}, false, s.stop(head, ok)
	}
	frame, err := s.window(frameExtra + int(h.length))
	if err != nil {
		return Frame{}, false, err
	}
	f := Frame{Place: Place{s.off, len(frame)}, Final: h.final}
	whole := len(frame) == frameExtra+int(h.length)
	if whole {
		copy(f.Tag[:], frame[len(frame)-endSize-TagSize:])
		f.Payload, ok = open(s.r.aead, s.r.head, frame, s.prev[:])
	}
	if !whole || !ok {
		return Frame{}, false, s.damaged(whole, h)
	}
	s.off, s.number, s.prev = s.off+int64(len(frame)), s.number+1, f.Tag
	if h.final {
		s.group++
	}
	return f, true, nil
}

// stop judges a place where no frame header is: unwritten, torn or damaged.
func (s *scanner) stop(head []byte, parsed bool) error {
	if len(head) == 0 {
		return nil
	}
	if parsed {
		return s.fault("holds a frame from elsewhere")
	}
	rest, err := s.rest()
	if err != nil {
		return err
	}
	if !torn(head, s.off) && len(rest) > frameHeader && !zero(rest[frameHeader:]) {
		return s.fault("is damaged")
	}
	return s.nothingLater(rest)
}

// rest reads from the current place to the end of the file.
func (s *scanner) rest() ([]byte, error) {
	size, err := s.r.file.Size()
	if err != nil {
		return nil, err
	}
	rest := make([]byte, max(size-s.off, 0))
	if _, err := s.r.file.ReadAt(rest, s.off); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading segment %d: %w", s.r.head.Number, err)
	}
	return rest, nil
}

// damaged judges a frame whose header is fine and whose body does not open.
func (s *scanner) damaged(whole bool, h frameHead) error {
	rest, err := s.rest() // open has overwritten the window
	if err != nil {
		return err
	}
	if whole && !torn(rest[:frameExtra+int(h.length)], s.off) {
		return s.fault("is damaged")
	}
	return s.nothingLater(rest)
}

// nothingLater refuses when a frame of a later group follows: groups are written one after the other, each durable
// before the next, so the hole is in bytes that were once acknowledged.
func (s *scanner) nothingLater(rest []byte) error {
	for at := align; at+frameHeader <= len(rest); at += align {
		if zero(rest[at : at+4]) {
			continue
		}
		if h, ok := parseFrameHead(rest[at:]); ok && h.group > s.group {
			return s.fault("is damaged and acknowledged entries follow it")
		}
	}
	return nil
}

func (s *scanner) fault(what string) error {
	return &Fault{fmt.Sprintf("segment %s, byte %d, frame %d %s", Name(s.r.head.Number), s.off, s.number, what), restore}
}
