package verify

import (
	"slices"

	"github.com/teapot-tee/teapot/tlog"
)

// prefixTree follows the tree up to the largest size of interest and keeps the roots on the way.
type prefixTree struct {
	tree  tlog.Tree
	sizes []uint64 // ascending
	end   uint64   // at this size the checkpoint itself says the root
	roots map[uint64]tlog.Hash
}

// prefix prepares the sizes at which this tree will be compared with another one's.
func (w *logWalk) prefix() *prefixTree {
	p := &prefixTree{roots: w.roots, end: w.reader.Checkpoint.Size}
	if w.resume != nil {
		tree, err := tlog.NewTree(w.resume.Size, w.resume.Roots)
		if err != nil {
			return p // NewAuditor refused it
		}
		p.tree = tree
		p.roots[w.resume.Size] = tree.Root()
	}
	for _, s := range w.seen {
		p.want(s.Checkpoint)
	}
	p.want([]byte(w.note))
	slices.Sort(p.sizes)
	return p
}

func (p *prefixTree) want(note []byte) {
	if c, err := tlog.ParseCheckpoint(note); err == nil && c.Size > p.tree.Size() && c.Size < p.end {
		p.sizes = append(p.sizes, c.Size)
	}
}

func (p *prefixTree) add(item tlog.Item) {
	if len(p.sizes) == 0 {
		return
	}
	if item.Left() {
		if p.tree.AppendSubtree(item.Level, item.Hash) != nil {
			p.sizes = nil // the auditor reports it
			return
		}
	} else {
		p.tree.Append(tlog.RecordHash(item.Leaf))
	}
	for len(p.sizes) > 0 && p.sizes[0] <= p.tree.Size() {
		if p.sizes[0] == p.tree.Size() {
			p.roots[p.tree.Size()] = p.tree.Root()
		}
		p.sizes = p.sizes[1:]
	}
}
