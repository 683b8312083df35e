package tlog

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// HashReader gives the stored hashes of a tree: the root of the perfect subtree over the leaves [index·2^level, (index+1)·2^level).
// It is asked only for subtrees that lie wholly inside the tree.
type HashReader interface {
	ReadHash(level uint, index uint64) (Hash, error)
}

// Tree is the append-only Merkle tree of RFC 6962 §2.1 as a stack of the roots of its perfect subtrees, largest first. The
// zero Tree is empty. It holds at most 53 hashes, whatever its size.
type Tree struct {
	size  uint64
	stack []Hash
}

// NewTree returns the tree of this size whose perfect subtrees, largest first, have these roots.
func NewTree(size uint64, roots []Hash) (Tree, error) {
	if size > MaxCount || bits.OnesCount64(size) != len(roots) {
		return Tree{}, fmt.Errorf("tree of size %d with %d subtree roots", size, len(roots))
	}
	return Tree{size, slices.Clone(roots)}, nil
}

// TreeAt returns the tree of this size over stored hashes.
func TreeAt(size uint64, r HashReader) (Tree, error) {
	t := Tree{size: size}
	for pos := uint64(0); pos < size; {
		level := fit(pos, size)
		h, err := r.ReadHash(level, pos>>level)
		if err != nil {
			return Tree{}, err
		}
		t.stack = append(t.stack, h)
		pos += 1 << level
	}
	return t, nil
}

// Size returns the number of leaves.
func (t *Tree) Size() uint64 { return t.size }

// Roots returns a copy of the roots of the perfect subtrees, largest first.
func (t *Tree) Roots() []Hash { return slices.Clone(t.stack) }

// Clone returns an independent copy.
func (t *Tree) Clone() Tree { return Tree{t.size, slices.Clone(t.stack)} }

// Append adds the hash of one leaf (RecordHash).
func (t *Tree) Append(leaf Hash) {
	for n := t.size; n&1 == 1; n >>= 1 {
		top := len(t.stack) - 1
		leaf = NodeHash(t.stack[top], leaf)
		t.stack = t.stack[:top]
	}
	t.stack = append(t.stack, leaf)
	t.size++
}

// AppendSubtree adds a whole perfect subtree of 2^level leaves by its root. The size must be a multiple of 2^level.
func (t *Tree) AppendSubtree(level uint, root Hash) error {
	if level > 52 || t.size&(1<<level-1) != 0 || t.size+1<<level > MaxCount {
		return errors.New("tree: this subtree does not fit here")
	}
	for n := t.size >> level; n&1 == 1; n >>= 1 {
		top := len(t.stack) - 1
		root = NodeHash(t.stack[top], root)
		t.stack = t.stack[:top]
	}
	t.stack = append(t.stack, root)
	t.size += 1 << level
	return nil
}

// Root returns the root hash.
func (t *Tree) Root() Hash {
	if len(t.stack) == 0 {
		return EmptyRoot()
	}
	root := t.stack[len(t.stack)-1]
	for i := len(t.stack) - 2; i >= 0; i-- {
		root = NodeHash(t.stack[i], root)
	}
	return root
}

// RootAt returns the root of the first size leaves of a stored tree.
func RootAt(size uint64, r HashReader) (Hash, error) {
	t, err := TreeAt(size, r)
	if err != nil {
		return Hash{}, err
	}
	return t.Root(), nil
}

// fit returns the level of the largest perfect subtree that begins at pos and ends at or before end; pos < end.
func fit(pos, end uint64) uint {
	level := uint(bits.Len64(end-pos) - 1)
	if pos != 0 {
		level = min(level, uint(bits.TrailingZeros64(pos)))
	}
	return level
}
