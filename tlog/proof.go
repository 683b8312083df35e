package tlog

import (
	"errors"
	"fmt"
	"math/bits"
)

// MaxProof bounds the hashes of any proof (C2SP tlog-witness).
const MaxProof = 63

// InclusionProof returns the sibling hashes, leaf to root, that prove leaf index in the tree of this size. RFC 6962 §2.1.1.
func InclusionProof(index, size uint64, r HashReader) ([]Hash, error) {
	if index >= size || size > MaxCount {
		return nil, fmt.Errorf("inclusion proof: index %d is not in a tree of size %d", index, size)
	}
	return inclusion(nil, index, 0, size, r)
}

func inclusion(proof []Hash, index, lo, hi uint64, r HashReader) ([]Hash, error) {
	if hi-lo == 1 {
		return proof, nil
	}
	mid := lo + split(hi-lo)
	sibLo, sibHi := mid, hi
	var err error
	if index < mid {
		proof, err = inclusion(proof, index, lo, mid, r)
	} else {
		sibLo, sibHi = lo, mid
		proof, err = inclusion(proof, index, mid, hi, r)
	}
	if err != nil {
		return nil, err
	}
	h, err := rangeHash(sibLo, sibHi, r)
	return append(proof, h), err
}

// ConsistencyProof returns the hashes that prove that the tree of size from is a prefix of the tree of size to. From size 0
// nothing can be proven, so it is refused. RFC 6962 §2.1.2.
func ConsistencyProof(from, to uint64, r HashReader) ([]Hash, error) {
	if from == 0 || from > to || to > MaxCount {
		return nil, fmt.Errorf("consistency proof: no proof from size %d to %d", from, to)
	}
	return consistency(nil, from, 0, to, true, r)
}

func consistency(proof []Hash, from, lo, hi uint64, known bool, r HashReader) ([]Hash, error) {
	if from == hi {
		if known {
			return proof, nil
		}
		h, err := rangeHash(lo, hi, r)
		return append(proof, h), err
	}
	mid := lo + split(hi-lo)
	sibLo, sibHi := mid, hi
	var err error
	if from <= mid {
		proof, err = consistency(proof, from, lo, mid, known, r)
	} else {
		sibLo, sibHi = lo, mid
		proof, err = consistency(proof, from, mid, hi, false, r)
	}
	if err != nil {
		return nil, err
	}
	h, err := rangeHash(sibLo, sibHi, r)
	return append(proof, h), err
}

// rangeHash is MTH over the leaves [lo, hi), where lo is a multiple of a power of two not below hi-lo.
func rangeHash(lo, hi uint64, r HashReader) (Hash, error) {
	if n := hi - lo; n&(n-1) == 0 {
		level := uint(bits.TrailingZeros64(n))
		return r.ReadHash(level, lo>>level)
	}
	mid := lo + split(hi-lo)
	left, err := rangeHash(lo, mid, r)
	if err != nil {
		return Hash{}, err
	}
	right, err := rangeHash(mid, hi, r)
	return NodeHash(left, right), err
}

// split returns the largest power of two below n; n > 1.
func split(n uint64) uint64 { return 1 << (bits.Len64(n-1) - 1) }

var errProof = errors.New("the proof does not lead to the root")

// VerifyInclusion returns nil if proof shows that the leaf with this hash stands at index in the tree of this size and root.
func VerifyInclusion(leaf Hash, index, size uint64, proof []Hash, root Hash) error {
	got, err := rootFromInclusion(leaf, index, size, proof)
	if err != nil {
		return err
	}
	if got != root {
		return fmt.Errorf("inclusion of index %d in size %d: %w", index, size, errProof)
	}
	return nil
}

// rootFromInclusion returns the root to which a proof leads. RFC 9162 §2.1.3.2.
func rootFromInclusion(h Hash, index, size uint64, proof []Hash) (Hash, error) {
	if index >= size || size > MaxCount {
		return Hash{}, fmt.Errorf("inclusion: index %d is not in a tree of size %d", index, size)
	}
	fn, sn := index, size-1
	for _, p := range proof {
		if sn == 0 {
			return Hash{}, fmt.Errorf("inclusion: %d hashes are too many", len(proof))
		}
		if fn&1 == 1 || fn == sn {
			h = NodeHash(p, h)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			h = NodeHash(h, p)
		}
		fn, sn = fn>>1, sn>>1
	}
	if sn != 0 {
		return Hash{}, fmt.Errorf("inclusion: %d hashes are too few", len(proof))
	}
	return h, nil
}

// VerifyConsistency returns nil if proof shows that the tree (from, fromRoot) is a prefix of (to, toRoot). Size 0 is refused:
// every tree extends the empty one, so such a proof says nothing. RFC 9162 §2.1.4.2.
func VerifyConsistency(from, to uint64, proof []Hash, fromRoot, toRoot Hash) error {
	if from == 0 || from > to || to > MaxCount {
		return fmt.Errorf("consistency: nothing is proven from size %d to %d", from, to)
	}
	if from == to {
		if len(proof) != 0 || fromRoot != toRoot {
			return fmt.Errorf("consistency: two trees of size %d with different roots, or a proof where none belongs", from)
		}
		return nil
	}
	if from&(from-1) == 0 {
		proof = append([]Hash{fromRoot}, proof...)
	}
	if len(proof) == 0 {
		return errors.New("consistency: the proof is empty")
	}
	fr, sr, err := foldConsistency(from, to, proof)
	if err != nil {
		return err
	}
	if fr != fromRoot || sr != toRoot {
		return fmt.Errorf("consistency from size %d to %d: %w", from, to, errProof)
	}
	return nil
}

// foldConsistency computes both roots from a proof whose first hash is known to be a subtree of both.
func foldConsistency(from, to uint64, proof []Hash) (fr, sr Hash, err error) {
	fn, sn := from-1, to-1
	for fn&1 == 1 {
		fn, sn = fn>>1, sn>>1
	}
	fr, sr = proof[0], proof[0]
	for _, p := range proof[1:] {
		if sn == 0 {
			return fr, sr, fmt.Errorf("consistency: %d hashes are too many", len(proof))
		}
		if fn&1 == 1 || fn == sn {
			fr, sr = NodeHash(p, fr), NodeHash(p, sr)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			sr = NodeHash(sr, p)
		}
		fn, sn = fn>>1, sn>>1
	}
	if sn != 0 {
		return fr, sr, fmt.Errorf("consistency: %d hashes are too few", len(proof))
	}
	return fr, sr, nil
}
