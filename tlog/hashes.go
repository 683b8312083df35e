package tlog

import "fmt"

// Hashes keeps the hashes of a whole tree in memory, every fourth level of it: about 34 bytes a leaf. The levels between are
// recomputed from at most eight stored hashes, so a proof costs a few microseconds. The zero Hashes is empty. It is a
// HashReader; it is not safe for use during an Append.
type Hashes struct {
	tree   Tree
	levels []column // levels[i] holds level i·hashStride
}

const (
	hashStride = 4
	blockLen   = 256
)

// column is a growing list in blocks, so that growth never copies.
type column struct {
	blocks []*[blockLen]Hash
	n      uint64
}

func (c *column) append(h Hash) {
	if c.n%blockLen == 0 {
		c.blocks = append(c.blocks, new([blockLen]Hash))
	}
	c.blocks[c.n/blockLen][c.n%blockLen] = h
	c.n++
}

// Append adds the hash of one leaf.
func (s *Hashes) Append(leaf Hash) {
	s.tree.Append(leaf)
	s.push(0, leaf)
	for i, n := uint(0), s.tree.size; n%(1<<hashStride) == 0; i++ {
		n >>= hashStride
		s.push(i+1, s.fold(i, n-1, hashStride))
	}
}

func (s *Hashes) push(i uint, h Hash) {
	if i == uint(len(s.levels)) {
		s.levels = append(s.levels, column{})
	}
	s.levels[i].append(h)
}

// Size returns the number of leaves.
func (s *Hashes) Size() uint64 { return s.tree.size }

// Root returns the root hash.
func (s *Hashes) Root() Hash { return s.tree.Root() }

// Tree returns a copy of the tree.
func (s *Hashes) Tree() Tree { return s.tree.Clone() }

// ReadHash implements HashReader.
func (s *Hashes) ReadHash(level uint, index uint64) (Hash, error) {
	if level > 52 || index >= s.tree.size>>level {
		return Hash{}, fmt.Errorf("no subtree of level %d at %d in a tree of size %d", level, index, s.tree.size)
	}
	stored := min(level/hashStride, uint(len(s.levels))-1)
	return s.fold(stored, index, level-stored*hashStride), nil
}

// fold returns the root of the subtree of 2^height hashes of a stored level.
func (s *Hashes) fold(stored uint, index uint64, height uint) Hash {
	if height == 0 {
		return s.levels[stored].blocks[index/blockLen][index%blockLen]
	}
	return NodeHash(s.fold(stored, 2*index, height-1), s.fold(stored, 2*index+1, height-1))
}
