package bundle

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/teapot-tee/teapot/tlog"
)

// Reader reads a bundle. Everything before the entries is read by NewReader; the entries come one by one from Next, so that a
// bundle of any size needs little memory.
type Reader struct {
	Header     Header
	Session    []byte   // Evidence document, nil if there is none
	Evidence   [][]byte // Evidence documents of the starts, in order
	Collateral [][]byte
	Checkpoint *tlog.SignedCheckpoint // nothing in it is verified
	Kinds      *tlog.Kinds            // as claimed; nil if there are none

	r     *bufio.Reader
	sum   hash.Hash
	prev  kind
	pos   uint64
	total int
	arena []byte
	head  [headLen]byte
	ahead bool // head holds the first entry's
	done  bool
}

// TruncatedError says that a bundle ends before its end record.
type TruncatedError struct {
	Entries uint64 // entries covered before the cut
}

// Error implements error.
func (e *TruncatedError) Error() string {
	return fmt.Sprintf("bundle: the file ends in the middle (after entry %d); it was not received or written completely", e.Entries)
}

// MalformedError says that bytes which were received contradict the format: whoever made or changed them is at fault, not
// the way they came. A bundle that merely ends too early is a TruncatedError, a stream that fails is neither.
type MalformedError struct{ Err error }

// Error implements error.
func (e *MalformedError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *MalformedError) Unwrap() error { return e.Err }

// ErrChecksum is wrapped in a MalformedError when all records were read and the checksum at the end is not theirs.
var ErrChecksum = errors.New("bundle: the checksum at the end does not fit: the file was damaged or edited")

// streamError is what the underlying reader said.
type streamError struct{ err error }

func (e *streamError) Error() string { return "reading bundle: " + e.err.Error() }
func (e *streamError) Unwrap() error { return e.err }

// malformed marks every error that is about the bytes and not about receiving them.
func malformed(err error) error {
	var cut *TruncatedError
	var stream *streamError
	if err == nil || errors.Is(err, io.EOF) || errors.As(err, &cut) || errors.As(err, &stream) {
		return err
	}
	return &MalformedError{err}
}

// ErrNotABundle is returned for a file that does not begin with the magic.
var ErrNotABundle = errors.New("bundle: this is not a Teapot bundle")

// NewReader reads up to the first entry.
func NewReader(r io.Reader) (*Reader, error) {
	b := &Reader{r: bufio.NewReaderSize(r, 1<<16), sum: sha256.New()}
	magic := make([]byte, len(Magic))
	if _, err := io.ReadFull(b.r, magic); err != nil || string(magic) != Magic {
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, &streamError{err}
		}
		return nil, ErrNotABundle
	}
	b.sum.Write(magic)
	if err := malformed(b.prefaces()); err != nil {
		return nil, err
	}
	return b, nil
}

// prefaces reads everything before the entries, and the head of what follows.
func (b *Reader) prefaces() error {
	for {
		k, n, err := b.next()
		if err != nil {
			return err
		}
		if k >= kindEntry {
			b.ahead = true
			return b.prefaceComplete()
		}
		if err := b.preface(k, n); err != nil {
			return err
		}
	}
}

// next reads the head of the next record and checks kind, order and length.
func (b *Reader) next() (kind, int, error) {
	if b.ahead {
		b.ahead = false
	} else if err := b.full(b.head[:]); err != nil {
		return 0, 0, err
	}
	k, n := kind(b.head[0]), int(binary.BigEndian.Uint32(b.head[1:]))
	if k.limit() < 0 {
		return 0, 0, fmt.Errorf("bundle: unknown kind of record %d", k)
	}
	if !k.follows(b.prev) {
		return 0, 0, errOrder
	}
	if n > k.limit() {
		return 0, 0, fmt.Errorf("bundle: a record of kind %d has %d bytes, the limit is %d", k, n, k.limit())
	}
	return k, n, nil
}

func (b *Reader) full(dst []byte) error {
	_, err := io.ReadFull(b.r, dst)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &TruncatedError{b.pos}
	}
	if err != nil {
		return &streamError{err}
	}
	return nil
}

// body reads the body of the record whose head next returned.
func (b *Reader) body(k kind, n int) ([]byte, error) {
	dst := b.alloc(n)
	if err := b.full(dst); err != nil {
		return nil, err
	}
	if k != kindEnd {
		b.sum.Write(b.head[:])
		b.sum.Write(dst)
	}
	b.prev = k
	return dst, nil
}

// alloc cuts small bodies from a common block; a block is free once all its items are.
func (b *Reader) alloc(n int) []byte {
	const block = 1 << 18
	if n > block/8 {
		return make([]byte, n)
	}
	if len(b.arena) < n {
		b.arena = make([]byte, block)
	}
	dst := b.arena[:n:n]
	b.arena = b.arena[n:]
	return dst
}

func (b *Reader) preface(k kind, n int) error {
	if b.total += max(n, minCounted); b.total > MaxDocuments {
		return fmt.Errorf("bundle: more than %d bytes of evidence", MaxDocuments)
	}
	body, err := b.body(k, n)
	if err != nil {
		return err
	}
	switch k {
	case kindHeader:
		return b.setHeader(body)
	case kindSession:
		b.Session = body
	case kindEvidence:
		b.Evidence = append(b.Evidence, body)
	case kindCollateral:
		b.Collateral = append(b.Collateral, body)
	case kindCheckpoint:
		b.Checkpoint, err = tlog.ParseCheckpoint(body)
	case kindKinds:
		var kinds tlog.Kinds
		kinds, err = tlog.ParseKinds(body)
		b.Kinds = &kinds
	}
	return err
}

func (b *Reader) setHeader(body []byte) error {
	h, err := ParseHeader(body)
	if err != nil {
		return err
	}
	b.Header, b.pos = *h, h.Base
	return nil
}

func (b *Reader) prefaceComplete() error {
	if b.Checkpoint == nil {
		return errOrder
	}
	if b.Checkpoint.Size != b.Header.Size || b.Checkpoint.Origin != b.Header.Origin {
		return errors.New("bundle: the checkpoint is not the one that the header names")
	}
	if b.Kinds != nil && b.Kinds.Total() != b.Header.Size {
		return errors.New("bundle: the counts by type do not add up to the size")
	}
	return nil
}

// Pos returns the index of the next item.
func (b *Reader) Pos() uint64 { return b.pos }

// Next returns the next item, io.EOF after the last one when the end record was there, the checksum right and nothing
// followed. Items stay valid; each holds on to at most 256 KiB.
func (b *Reader) Next() (tlog.Item, error) {
	if b.done {
		return tlog.Item{}, io.EOF
	}
	item, err := b.item()
	return item, malformed(err)
}

func (b *Reader) item() (tlog.Item, error) {
	k, n, err := b.next()
	if err != nil {
		return tlog.Item{}, err
	}
	body, err := b.body(k, n)
	if err != nil {
		return tlog.Item{}, err
	}
	item := tlog.Item{}
	switch {
	case k == kindEnd:
		return item, b.finish(body)
	case k == kindEntry:
		item, err = parseEntry(body)
	case n != 33 || body[0] > 52:
		err = errors.New("bundle: a subtree record is malformed")
	default:
		item = tlog.Item{Level: uint(body[0]), Hash: tlog.Hash(body[1:])}
	}
	if err == nil && item.Entries() > b.Header.Size-b.pos {
		err = errors.New("bundle: entries beyond the checkpoint")
	}
	b.pos += item.Entries()
	return item, err
}

func (b *Reader) finish(sum []byte) error {
	if b.pos != b.Header.Size {
		return fmt.Errorf("bundle: entries up to %d, the checkpoint covers %d", b.pos, b.Header.Size)
	}
	if string(sum) != string(b.sum.Sum(nil)) {
		return ErrChecksum
	}
	if _, err := b.r.ReadByte(); !errors.Is(err, io.EOF) {
		return errors.New("bundle: bytes follow the end")
	}
	b.done = true
	return io.EOF
}
