package bundle

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/teapot-tee/teapot/tlog"
)

// Writer writes a bundle, record by record, in the order of its methods. It keeps nothing but a checksum, so a bundle of any
// size can be streamed. The first error sticks; Close returns it.
type Writer struct {
	w      io.Writer
	sum    hash.Hash
	prev   kind
	pos    uint64 // entries covered so far
	size   uint64
	header Header
	buf    []byte
	err    error
}

// NewWriter writes the magic and the header. h.Type may be left empty.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	if h.Type == "" {
		h.Type = HeaderType
	}
	b, err := h.Marshal()
	if err != nil {
		return nil, err
	}
	bw := &Writer{w: w, sum: sha256.New(), pos: h.Base, size: h.Size, header: h}
	bw.write([]byte(Magic))
	bw.record(kindHeader, b)
	return bw, bw.err
}

// Session writes the Evidence document over a session statement.
func (w *Writer) Session(evidence []byte) { w.record(kindSession, evidence) }

// Evidence writes the Evidence document of one start, exactly the bytes whose SHA-256 its boot leaf carries.
func (w *Writer) Evidence(evidence []byte) { w.record(kindEvidence, evidence) }

// Collateral writes collateral that is newer than what the evidence carries.
func (w *Writer) Collateral(collateral []byte) { w.record(kindCollateral, collateral) }

// Checkpoint writes the signed note of the log's head.
func (w *Writer) Checkpoint(note []byte) {
	c, err := tlog.ParseCheckpoint(note)
	if err == nil && (c.Size != w.size || c.Origin != w.header.Origin) {
		err = errors.New("bundle: the checkpoint is not the one of the header")
	}
	w.fail(err)
	w.record(kindCheckpoint, note)
}

// Kinds writes the counts by type at the checkpoint's size: Kinds.Append of the log's tlog.Kinds.
func (w *Writer) Kinds(kinds []byte) { w.record(kindKinds, kinds) }

// Entry writes the next entry.
func (w *Writer) Entry(item tlog.Item) {
	w.fail(checkEntry(&item))
	w.buf = append(w.buf[:0], byte(item.Status))
	w.buf = binary.BigEndian.AppendUint16(w.buf, uint16(len(item.Leaf)))
	w.buf = append(append(w.buf, item.Leaf...), item.Addendum...)
	w.pos++
	w.record(kindEntry, w.buf)
}

// LeaveOut writes the subtrees that stand for the entries from here up to index to; nothing if to is where we are.
func (w *Writer) LeaveOut(to uint64, r tlog.HashReader) {
	items, err := tlog.LeaveOut(w.pos, to, r)
	w.fail(err)
	for _, item := range items {
		w.buf = append(append(w.buf[:0], byte(item.Level)), item.Hash[:]...)
		w.pos += item.Entries()
		w.record(kindLeft, w.buf)
	}
}

// Pos returns the index of the next entry.
func (w *Writer) Pos() uint64 { return w.pos }

// Close writes the end. A bundle that was not closed is not a bundle.
func (w *Writer) Close() error {
	if w.err == nil && w.pos != w.size {
		w.fail(fmt.Errorf("bundle: entries up to %d, the checkpoint covers %d", w.pos, w.size))
	}
	if w.err != nil {
		return w.err
	}
	w.record(kindEnd, w.sum.Sum(nil))
	return w.err
}

func (w *Writer) record(k kind, body []byte) {
	switch {
	case w.err != nil:
		return
	case !k.follows(w.prev):
		w.fail(errOrder)
	case len(body) > k.limit() || w.pos > w.size:
		w.fail(fmt.Errorf("bundle: a record of kind %d with %d bytes is too long, or an entry lies beyond the checkpoint", k, len(body)))
	}
	w.prev = k
	var head [headLen]byte
	w.write(appendHead(head[:0], k, len(body)))
	w.write(body)
}

func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	w.sum.Write(b)
	_, err := w.w.Write(b)
	w.fail(err)
}

func (w *Writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}
