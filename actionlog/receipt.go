package actionlog

import (
	"context"
	"crypto/subtle"
	"fmt"
	"slices"

	"github.com/teapot-tee/teapot/actionlog/index"
	"github.com/teapot-tee/teapot/tlog"
)

// Receipt makes a receipt of entries under the newest checkpoint of their start. With open it carries the salts and real ids, which
// open exactly these entries to whoever holds it; file adds the contents, the boot leaf and the evidence of the start.
// All entries must belong to one start.
func (l *Log) Receipt(indices []uint64, open, file bool) (*tlog.Receipt, error) {
	indices = slices.Compact(slices.Sorted(slices.Values(indices)))
	if len(indices) == 0 {
		return nil, invalid("a receipt names at least one entry")
	}
	first, _, err := newCursor(l).bare(indices[0])
	if err != nil {
		return nil, err
	}
	start := first.Leaf.Boot
	note, size, err := l.noteOf(start)
	if err != nil {
		return nil, err
	}
	var rows []tlog.Recorded
	for _, index := range indices {
		it, err := newCursor(l).item(index)
		if err != nil {
			return nil, err
		}
		if it.Leaf.Boot != start {
			return nil, invalid("entries %d and %d belong to different starts", indices[0], index)
		}
		row, err := l.recorded(&it, size, open)
		if err != nil {
			return nil, err
		}
		row.WithContent = file
		rows = append(rows, row)
	}
	r, err := tlog.NewReceipt(note, rows...)
	if err != nil || !file {
		return r, err
	}
	return r, l.withStart(r, start, size)
}

// noteOf returns the last checkpoint that a start's boot key signed, and its size: the newest one for the start that runs, else
// the one that stands with the start's last entry.
func (l *Log) noteOf(start uint64) (note []byte, size uint64, err error) {
	h := l.head.Load()
	kinds, err := tlog.ParseKinds(h.kinds)
	if err != nil {
		return nil, 0, err
	}
	if start+1 == kinds.Next(tlog.TypeBoot) {
		return h.checkpoint, h.size, nil
	}
	if err := l.store.index.wait(context.Background(), l, h.size); err != nil {
		return nil, 0, err
	}
	next, err := l.bootIndex(start + 1)
	if err != nil {
		return nil, 0, err
	}
	c := newCursor(l)
	if err := c.open(next - 1); err != nil {
		return nil, 0, err
	}
	signed, err := tlog.ParseCheckpoint(c.frame.checkpoint)
	if err != nil {
		return nil, 0, fmt.Errorf("the checkpoint that closes start %d: %w", start, err)
	}
	return signed.Raw, signed.Size, nil
}

func (l *Log) recorded(it *Item, size uint64, open bool) (tlog.Recorded, error) {
	row := tlog.Recorded{Index: it.Index, Leaf: it.Raw}
	path, err := l.InclusionProof(it.Index, size)
	row.Path = path
	if open && it.State == ContentShown && it.Leaf.Content.Visibility != tlog.VisibleNever {
		row.Addendum = it.Addendum
	}
	return row, err
}

// withStart adds what a stranger needs to judge the receipt without the server.
func (l *Log) withStart(r *tlog.Receipt, start, size uint64) error {
	at, err := l.bootIndex(start)
	if err != nil {
		return err
	}
	it, err := newCursor(l).item(at)
	if err != nil {
		return err
	}
	path, err := l.InclusionProof(at, size)
	r.Boot, r.Evidence = &tlog.ReceiptBoot{Index: at, Leaf: it.Raw, Proof: path}, it.Evidence
	return err
}

// bootIndex returns the index of the boot leaf with this number: its kseq.
func (l *Log) bootIndex(start uint64) (uint64, error) {
	found, err := l.candidates(index.Query{To: l.Size(), Types: []string{tlog.TypeBoot}, Skip: int(start), Limit: 1})
	if err != nil {
		return 0, err
	}
	if len(found) == 0 {
		return 0, ErrNotFound
	}
	it, _, err := newCursor(l).bare(found[0])
	if err == nil && (it.Leaf.Start == nil || it.Leaf.Boot != start) {
		l.store.index.failed()
		err = errIndexLies
	}
	return found[0], err
}

// HoldsReceipt reports whether secret is the salt of this entry: whoever has it had the receipt.
func (l *Log) HoldsReceipt(index uint64, secret []byte) bool {
	it, err := newCursor(l).item(index)
	return err == nil && it.State == ContentShown && len(secret) == tlog.SaltSize &&
		it.Leaf.Content.Visibility != tlog.VisibleNever &&
		subtle.ConstantTimeCompare(it.Addendum[:tlog.SaltSize], secret) == 1
}

// Exchange returns the entries of one exchange: an entry and those of its causes, direct ones, that were said in the
// same room in the same start.
func (l *Log) Exchange(index uint64) ([]uint64, error) {
	c := newCursor(l)
	it, _, err := c.bare(index)
	if err != nil {
		return nil, err
	}
	room, start, causes := it.Leaf.Room, it.Leaf.Boot, slices.Clone(it.Leaf.Cause)
	out := []uint64{index}
	for _, cause := range causes {
		other, _, err := c.bare(cause)
		if err != nil {
			return nil, err
		}
		if other.Leaf.Type == "message" && other.Leaf.Room == room && other.Leaf.Boot == start && len(out) < 16 {
			out = append(out, cause)
		}
	}
	return out, nil
}

// SCITTReceipt returns the COSE receipt (RFC 9942) of an entry, signed by the log key over the newest root.
func (l *Log) SCITTReceipt(index uint64) (leaf, receipt []byte, err error) {
	h := l.head.Load()
	raw, _, err := newCursor(l).leaf(index)
	if err != nil {
		return nil, nil, err
	}
	path, err := l.InclusionProof(index, h.size)
	if err != nil {
		return nil, nil, err
	}
	receipt, err = tlog.SignCOSEReceipt(l.origin, l.opts.LogKey, index, h.size, path, h.root)
	return raw, receipt, err
}

// Stats are figures of a log for people.
type Stats struct {
	Origin     string            `json:"origin"`
	Size       uint64            `json:"size"`
	Root       tlog.Hash         `json:"root"`
	Types      map[string]uint64 `json:"types"`
	Starts     uint64            `json:"starts"`
	Erased     int               `json:"erased"`
	Time       uint64            `json:"time"` // of the newest entry, microseconds
	Segments   int               `json:"segments"`
	Bytes      int64             `json:"bytes"`       // of frames in use
	PerEntry   float64           `json:"bytes_entry"` // the same, per entry
	Indexed    uint64            `json:"indexed"`     // entries the query index holds
	IndexError string            `json:"index_error,omitempty"`
}

// Stats returns the log's figures.
func (l *Log) Stats() Stats {
	h := l.head.Load()
	s := Stats{Origin: l.origin, Size: h.size, Root: h.root, Types: map[string]uint64{}, Time: h.time}
	kinds := l.Kinds()
	for name, n := range kinds.All {
		s.Types[name] = n
	}
	s.Starts = s.Types[tlog.TypeBoot]
	l.mu.RLock()
	s.Segments = len(l.segs)
	for _, g := range l.segs {
		s.Bytes += g.end
	}
	l.mu.RUnlock()
	l.gone.mu.RLock()
	s.Erased = len(l.gone.set)
	l.gone.mu.RUnlock()
	if h.size > 0 {
		s.PerEntry = float64(s.Bytes) / float64(h.size)
	}
	s.Indexed, s.IndexError = l.store.index.state(l)
	return s
}

func (p *projector) state(l *Log) (applied uint64, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		why = fmt.Sprint(p.err)
	}
	return p.logs[l].applied, why
}
