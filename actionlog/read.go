package actionlog

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/teapot-tee/teapot/actionlog/segment"
	"github.com/teapot-tee/teapot/tlog"
)

// ContentState says what became of an entry's content.
type ContentState uint8

// Content states. The zero value discloses nothing.
const (
	ContentWithheld ContentState = iota // there is content and the asker may not see it
	ContentNone                         // the leaf commits to nothing
	ContentShown                        // it is here
	ContentErased                       // its key is gone; ErasedBy proves on whose demand
)

var contentStates = [...]string{"withheld", "none", "shown", "erased"}

// String returns the word used in JSON.
func (c ContentState) String() string { return contentStates[c] }

// MarshalText writes the word.
func (c ContentState) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Item is one entry as it was read from its frame and compared with the tree.
type Item struct {
	Index    uint64
	Raw      []byte    // the leaf's bytes
	Leaf     tlog.Leaf // the same, decoded
	Hash     tlog.Hash
	State    ContentState
	Addendum []byte         // set when State is ContentShown
	Content  tlog.Disclosed // set when State is ContentShown
	ErasedBy uint64         // index of the erasure leaf when State is ContentErased

	Statement, Part, Evidence []byte // of a boot leaf: public and not erasable
}

// Entry returns one entry with its content, whoever asks: callers that answer others use Item.For.
func (l *Log) Entry(_ context.Context, index uint64) (Item, error) {
	return newCursor(l).item(index)
}

// Prove returns the entry's proof under the newest checkpoint. The addendum is there unless it was erased.
func (l *Log) Prove(index uint64) (Proof, error) {
	it, err := newCursor(l).item(index)
	if err != nil {
		return Proof{}, err
	}
	path, note, err := l.path(index)
	return Proof{Index: index, Leaf: it.Raw, Addendum: it.Addendum, LeafHash: it.Hash, Path: path, Checkpoint: note}, err
}

// ProveAll returns the proofs of entries, all under one checkpoint.
func (l *Log) ProveAll(indices []uint64) ([]Proof, error) {
	out, c := make([]Proof, len(indices)), newCursor(l)
	for k, i := range indices {
		it, err := c.item(i)
		if err != nil {
			return nil, err
		}
		out[k] = Proof{Index: i, Leaf: it.Raw, Addendum: it.Addendum, LeafHash: it.Hash}
	}
	h := l.head.Load() // after the items: it holds them all
	l.mu.RLock()
	defer l.mu.RUnlock()
	for k := range out {
		path, err := tlog.InclusionProof(out[k].Index, h.size, &l.hashes)
		if err != nil {
			return nil, err
		}
		out[k].Path, out[k].Checkpoint = path, h.checkpoint
	}
	return out, nil
}

// path returns an inclusion proof and the checkpoint it leads to.
func (l *Log) path(index uint64) ([]tlog.Hash, []byte, error) {
	h := l.head.Load()
	if index >= h.size {
		return nil, nil, ErrNotFound
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	path, err := tlog.InclusionProof(index, h.size, &l.hashes)
	return path, h.checkpoint, err
}

// InclusionProof returns the sibling hashes of an entry in the tree of an acknowledged size.
func (l *Log) InclusionProof(index, size uint64) ([]tlog.Hash, error) {
	if size > l.Size() || index >= size {
		return nil, ErrNotFound
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return tlog.InclusionProof(index, size, &l.hashes)
}

// ConsistencyProof shows that the tree of one acknowledged size is a prefix of a later one.
func (l *Log) ConsistencyProof(from, to uint64) ([]tlog.Hash, error) {
	if to > l.Size() || from > to || from == 0 {
		return nil, ErrNotFound
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return tlog.ConsistencyProof(from, to, &l.hashes)
}

// Root returns the root of the tree at an acknowledged size.
func (l *Log) Root(size uint64) (tlog.Hash, error) {
	if size > l.Size() {
		return tlog.Hash{}, ErrNotFound
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return tlog.RootAt(size, &l.hashes)
}

// ReadHash implements tlog.HashReader for subtrees that lie inside the acknowledged tree.
func (l *Log) ReadHash(level uint, index uint64) (tlog.Hash, error) {
	if level > 52 || index >= l.Size()>>level {
		return tlog.Hash{}, ErrNotFound
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.hashes.ReadHash(level, index)
}

// Tile returns the bytes of one C2SP tile or entry bundle, ErrNotFound if the log does not have all of it.
func (l *Log) Tile(t tlog.Tile) ([]byte, error) {
	if t.Width == 0 || t.Width > tlog.TileWidthAt(t.Level, t.N, l.Size()) {
		return nil, ErrNotFound
	}
	if !t.Entries {
		return tlog.AppendTile(nil, t, l)
	}
	var b []byte
	c := newCursor(l)
	for i := range uint64(t.Width) {
		raw, _, err := c.leaf(t.N*tlog.TileWidth + i)
		if err != nil {
			return nil, err
		}
		if b, err = tlog.AppendEntry(b, raw); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// cursor reads entries and keeps the last frame it opened, so that neighbours cost one decryption. It is for one
// goroutine.
type cursor struct {
	l     *Log
	seg   *seg
	frame frameContent
}

func newCursor(l *Log) *cursor { return &cursor{l: l} }

// stored returns an entry as its frame holds it, after comparing the leaf with the tree in memory.
func (c *cursor) stored(index uint64) (*stored, tlog.Hash, error) {
	if c.seg == nil || index < c.frame.first || index >= c.frame.first+uint64(len(c.frame.entries)) {
		if err := c.open(index); err != nil {
			return nil, tlog.Hash{}, err
		}
	}
	e := &c.frame.entries[index-c.frame.first]
	want, err := c.l.ReadHash(0, index)
	if err != nil {
		return nil, want, err
	}
	if tlog.RecordHash(e.leaf) != want {
		return nil, want, &segment.Fault{What: fmt.Sprintf("entry %d is not the one in the tree", index), Next: "the disk was changed while the log was running; restart and put the files back"}
	}
	return e, want, nil
}

func (c *cursor) open(index uint64) error {
	s, place, ok := c.l.locate(index)
	if !ok {
		return ErrNotFound
	}
	b, err := s.reader.Read(place)
	if err != nil {
		return err
	}
	frame, err := parsePayload(b)
	if err != nil {
		return err
	}
	if index < frame.first || index >= frame.first+uint64(len(frame.entries)) {
		return fmt.Errorf("entry %d: %w", index, errPayload)
	}
	c.seg, c.frame = s, frame
	return nil
}

func (c *cursor) leaf(index uint64) ([]byte, tlog.Hash, error) {
	e, hash, err := c.stored(index)
	if err != nil {
		return nil, hash, err
	}
	return e.leaf, hash, nil
}

// item reads an entry with its content.
func (c *cursor) item(index uint64) (Item, error) {
	it, e, err := c.bare(index)
	if err != nil {
		return Item{}, err
	}
	return it, c.fill(&it, e)
}

// bare reads an entry without opening its content.
func (c *cursor) bare(index uint64) (Item, *stored, error) {
	e, hash, err := c.stored(index)
	if err != nil {
		return Item{}, nil, err
	}
	it := Item{Index: index, Raw: e.leaf, Hash: hash}
	return it, e, it.Leaf.Decode(e.leaf)
}

// fill opens the content. Bytes that do not match the leaf are an error, never shown.
func (c *cursor) fill(it *Item, e *stored) error {
	if it.Leaf.Start != nil {
		it.State = ContentNone
		return it.fillBoot(e)
	}
	if it.Leaf.Content == (tlog.Content{}) {
		it.State = ContentNone
		return nil
	}
	if by, gone := c.l.gone.by(it.Index); gone {
		it.State, it.ErasedBy = ContentErased, by
		return nil
	}
	sealed, err := c.seg.keys.Load().Open(it.Index, e.wrapped, e.content)
	if errors.Is(err, segment.ErrErased) {
		if by, gone := c.l.gone.by(it.Index); gone { // erased between the two looks
			it.State, it.ErasedBy = ContentErased, by
			return nil
		}
		return fmt.Errorf("entry %d: its content key is gone and no erasure says why", it.Index)
	}
	if err != nil {
		return err
	}
	return it.show(sealed)
}

func (it *Item) show(sealed []byte) (err error) {
	var ids tlog.Disclosed
	if it.Addendum, ids, err = splitContent(sealed); err != nil {
		return err
	}
	if it.Content, err = tlog.OpenAddendum(it.Leaf.Content, it.Addendum); err != nil {
		return fmt.Errorf("entry %d: %w", it.Index, err)
	}
	if it.Leaf.Content.Visibility == tlog.VisiblePublic {
		it.Content.Room, it.Content.User = ids.Room, ids.User
	}
	it.State = ContentShown
	return nil
}

func (it *Item) fillBoot(e *stored) (err error) {
	it.Statement, it.Part, it.Evidence, err = e.public()
	if err != nil {
		return err
	}
	s := it.Leaf.Start
	if sha256.Sum256(it.Statement) != s.Statement || sha256.Sum256(it.Part) != s.Part || sha256.Sum256(it.Evidence) != s.Evidence {
		return fmt.Errorf("entry %d: the stored boot statement, part or evidence is not what the leaf names", it.Index)
	}
	return nil
}
