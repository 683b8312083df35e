package tlog

import (
	"fmt"
	"strings"
	"testing"
)

// entries returns the leaf hashes of "entry-0" … of facts/tlog.md section 2.
func entries(n int) *Hashes {
	s := new(Hashes)
	for i := range n {
		s.Append(RecordHash(fmt.Appendf(nil, "entry-%d", i)))
	}
	return s
}

func TestRootVectors(t *testing.T) {
	want := map[int]string{
		1: "40766b2033429026f53d54502679a839706b4741f8dcaf3a8bba5f41b5ffe075",
		2: "2f27a5082c1d42afa488ac350a9fc4390c084f54f71ecdff859e98db8429b479",
		3: "a64bf26e09128f6fe2fe6f8b2d8c801e166b57c047a7cd9b2b809e7a96a2f1cb",
		4: "256b9e8825e5d370a4ae005d0901ea291977e2927f5cf8e3e72660dd09519edb",
		6: "08783a523d260480de2ccf0976d7411ed8adaf06f75d5a5de2254c58f968eca9",
		7: "9139601cc1ca8ab2a7a0c2c134c04845f2b1ba549a83d6c845cfcda439cc585d",
	}
	all := entries(7)
	for n, root := range want {
		if got := entries(n).Root(); got.String() != root {
			t.Errorf("root of size %d: got %s, want %s", n, got, root)
		}
		if got, err := RootAt(uint64(n), all); err != nil || got.String() != root {
			t.Errorf("stored root of size %d: got %s %v, want %s", n, got, err, root)
		}
	}
	if got := RecordHash(nil).String(); got != "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" {
		t.Errorf("hash of the empty entry: %s", got)
	}
	if got := (&Tree{}).Root(); got != EmptyRoot() {
		t.Errorf("empty tree: %s", got)
	}
}

func prefixes(list []Hash) string {
	var b strings.Builder
	for i, h := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(h.String()[:8])
	}
	return b.String()
}

func TestProofVectors(t *testing.T) {
	s := entries(7)
	for index, want := range map[uint64]string{0: "e868811a b17003e0 e429c5b5", 5: "194bb5a2 0cfda576 256b9e88", 6: "4a136a70 256b9e88"} {
		proof, err := InclusionProof(index, 7, s)
		if err != nil || prefixes(proof) != want {
			t.Errorf("inclusion of %d: got %s %v, want %s", index, prefixes(proof), err, want)
		}
	}
	for from, want := range map[uint64]string{3: "049d7dcd 27479b6a 2f27a508 e429c5b5", 4: "e429c5b5", 6: "4a136a70 0cfda576 256b9e88", 7: ""} {
		proof, err := ConsistencyProof(from, 7, s)
		if err != nil || prefixes(proof) != want {
			t.Errorf("consistency from %d: got %s %v, want %s", from, prefixes(proof), err, want)
		}
	}
}

func TestEveryProofOfSmallTrees(t *testing.T) {
	const n = 70
	s := entries(n)
	for size := uint64(1); size <= n; size++ {
		root, err := RootAt(size, s)
		if err != nil {
			t.Fatal(err)
		}
		for i := range size {
			checkInclusion(t, s, i, size, root)
		}
		for from := uint64(1); from <= size; from++ {
			checkConsistency(t, s, from, size, root)
		}
	}
}

func checkInclusion(t *testing.T, s *Hashes, index, size uint64, root Hash) {
	t.Helper()
	proof, err := InclusionProof(index, size, s)
	if err != nil {
		t.Fatal(err)
	}
	leaf, _ := s.ReadHash(0, index)
	if err := VerifyInclusion(leaf, index, size, proof, root); err != nil {
		t.Fatalf("%d of %d: %v", index, size, err)
	}
	if VerifyInclusion(leaf, index, size, append(proof, Hash{}), root) == nil {
		t.Fatalf("%d of %d: one hash too many passed", index, size)
	}
	if len(proof) == 0 {
		return
	}
	if VerifyInclusion(leaf, index, size, proof[1:], root) == nil || VerifyInclusion(leaf, index^1, size, proof, root) == nil {
		t.Fatalf("%d of %d: wrong proof or index passed", index, size)
	}
	proof[0][0] ^= 1
	if VerifyInclusion(leaf, index, size, proof, root) == nil {
		t.Fatalf("%d of %d: a changed proof passed", index, size)
	}
}

func checkConsistency(t *testing.T, s *Hashes, from, to uint64, root Hash) {
	t.Helper()
	proof, err := ConsistencyProof(from, to, s)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := RootAt(from, s)
	if err := VerifyConsistency(from, to, proof, old, root); err != nil {
		t.Fatalf("%d to %d: %v", from, to, err)
	}
	if VerifyConsistency(from, to, append(proof, Hash{}), old, root) == nil {
		t.Fatalf("%d to %d: one hash too many passed", from, to)
	}
	bad := old
	bad[0] ^= 1
	if VerifyConsistency(from, to, proof, bad, root) == nil || VerifyConsistency(from, to, proof, old, bad) == nil {
		t.Fatalf("%d to %d: a wrong root passed", from, to)
	}
	if len(proof) > 0 && VerifyConsistency(from, to, proof[1:], old, root) == nil {
		t.Fatalf("%d to %d: a short proof passed", from, to)
	}
}

func TestNothingIsProvenFromSizeZero(t *testing.T) {
	s := entries(3)
	if _, err := ConsistencyProof(0, 3, s); err == nil {
		t.Error("a proof from size 0 was made")
	}
	if VerifyConsistency(0, 3, nil, EmptyRoot(), s.Root()) == nil {
		t.Error("a proof from size 0 passed")
	}
}

func TestHashesOfALargerTree(t *testing.T) {
	s, plain := entries(5000), Tree{}
	for i := range uint64(5000) {
		h, err := s.ReadHash(0, i)
		if err != nil {
			t.Fatal(err)
		}
		plain.Append(h)
	}
	if s.Root() != plain.Root() {
		t.Error("stored and plain tree differ")
	}
	for _, size := range []uint64{1, 255, 256, 257, 4095, 4096, 4097, 5000} {
		root, err := RootAt(size, s)
		if err != nil {
			t.Fatal(err)
		}
		checkInclusion(t, s, size/2, size, root)
		checkConsistency(t, s, size, 5000, s.Root())
	}
	if _, err := s.ReadHash(12, 1); err == nil {
		t.Error("a subtree beyond the end was read")
	}
}

func TestAppendSubtree(t *testing.T) {
	s := entries(100)
	var tree Tree
	for pos := uint64(0); pos < 100; {
		level := fit(pos, 100)
		h, err := s.ReadHash(level, pos>>level)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.AppendSubtree(level, h); err != nil {
			t.Fatal(err)
		}
		pos += 1 << level
	}
	if tree.Root() != s.Root() || tree.Size() != 100 {
		t.Error("the tree from subtrees differs")
	}
	if tree.AppendSubtree(3, Hash{}) == nil {
		t.Error("a subtree that does not fit was taken")
	}
}

func BenchmarkTreeAppend(b *testing.B) {
	var s Hashes
	leaf := make([]byte, 420)
	for b.Loop() {
		s.Append(RecordHash(leaf))
	}
}

func BenchmarkInclusionProofAtAMillion(b *testing.B) {
	var s Hashes
	for i := range 1_000_000 {
		s.Append(Hash{byte(i), byte(i >> 8), byte(i >> 16)})
	}
	i := uint64(0)
	for b.Loop() {
		i = (i + 7919) % 1_000_000
		if _, err := InclusionProof(i, 1_000_000, &s); err != nil {
			b.Fatal(err)
		}
	}
}
