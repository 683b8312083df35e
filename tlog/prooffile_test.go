package tlog

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// The proof of facts/tlog.md section 1.8.
const vectorProof = proofFileHead + "index 5\n" +
	"GUu1otW9EOXRqm/V1CmAs1bK8dpiPNmYfEv6L4F3Htc=\nDP2ldv9LKeozw6/a7tG9Y362VLKKBDAvyrX9fbB4Acw=\nJWueiCXl03CkrgBdCQHqKRl34pJ/XPjj5yZg3QlRnts=\n\n" + vectorNote

func TestProofFileVector(t *testing.T) {
	p, err := ParseProofFile([]byte(vectorProof))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := p.Verify([]byte("entry-5")); err != nil || c.Size != 7 {
		t.Errorf("%+v %v", c, err)
	}
	if _, err := p.Verify([]byte("entry-4")); err == nil {
		t.Error("another leaf passed")
	}
	path, err := InclusionProof(5, 7, entries(7))
	if err != nil {
		t.Fatal(err)
	}
	ours := ProofFile{Index: 5, Path: path, Checkpoint: []byte(vectorNote)}
	if string(ours.Marshal()) != vectorProof {
		t.Errorf("ours differs:\n%s", ours.Marshal())
	}
	ours.Extra = []byte("extra")
	if back, err := ParseProofFile(ours.Marshal()); err != nil || string(back.Extra) != "extra" {
		t.Errorf("%+v %v", back, err)
	}
}

func TestProofFileIsStrict(t *testing.T) {
	for name, text := range map[string]string{
		"empty":       "",
		"version":     strings.Replace(vectorProof, "@v1", "@v2", 1),
		"no index":    strings.Replace(vectorProof, "index 5\n", "", 1),
		"zero before": strings.Replace(vectorProof, "index 5", "index 05", 1),
		"bad hash":    strings.Replace(vectorProof, "GUu1", "GUu", 1),
		"bad bits":    strings.Replace(vectorProof, "Htc=", "Htd=", 1),
		"no note":     strings.SplitAfter(vectorProof, "\n\n")[0],
		"bad extra":   strings.Replace(vectorProof, "index", "extra !\nindex", 1),
		"extra twice": strings.Replace(vectorProof, "index", "extra AA==\nextra AA==\nindex", 1),
		"too many":    strings.Replace(vectorProof, "\n\n", strings.Repeat("\n"+EmptyRoot().Base64(), 64)+"\n\n", 1),
	} {
		if _, err := ParseProofFile([]byte(text)); err == nil {
			t.Errorf("%s passed", name)
		}
	}
}

func TestCOSEReceipt(t *testing.T) {
	s := new(Hashes)
	var leaves [][]byte
	for i := range 9 {
		l := message()
		l.Index, l.KSeq, l.Cause = uint64(i), 0, nil
		leaves = append(leaves, sign(t, l))
		s.Append(RecordHash(leaves[i]))
	}
	path, _ := InclusionProof(4, 9, s)
	receipt, err := SignCOSEReceipt(testOrigin(), key(1), 4, 9, path, s.Root())
	if err != nil {
		t.Fatal(err)
	}
	statement, err := AttachReceipt(leaves[4], receipt)
	if err != nil {
		t.Fatal(err)
	}
	leaf, back, err := DetachReceipt(statement)
	if err != nil || !bytes.Equal(leaf, leaves[4]) || !bytes.Equal(back, receipt) {
		t.Fatalf("detached %x %v", leaf, err)
	}
	r, err := ParseCOSEReceipt(receipt)
	if err != nil || r.Origin != testOrigin() || r.Index != 4 || r.Size != 9 {
		t.Fatalf("%+v %v", r, err)
	}
	if err := r.Verify(leaf, pub(1)); err != nil {
		t.Error(err)
	}
	if r.Verify(leaves[3], pub(1)) == nil || r.Verify(leaf, pub(2)) == nil {
		t.Error("another leaf or key passed")
	}
	for i := range receipt {
		bad := bytes.Clone(receipt)
		bad[i] ^= 1
		if r, err := ParseCOSEReceipt(bad); err == nil && r.Verify(leaf, pub(1)) == nil {
			t.Fatalf("byte %d flipped, nobody noticed", i)
		}
	}
}

func FuzzProofFile(f *testing.F) {
	f.Add([]byte(vectorProof))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := ParseProofFile(b); err == nil && !bytes.Equal(p.Marshal(), b) {
			t.Errorf("%q changed", b)
		}
	})
}

func FuzzCOSEReceipt(f *testing.F) {
	b, _ := SignCOSEReceipt(testOrigin(), key(1), 0, 1, nil, Hash{})
	f.Add(b)
	f.Fuzz(func(_ *testing.T, b []byte) {
		if r, err := ParseCOSEReceipt(b); err == nil {
			_ = r.Verify(b, pub(1))
		}
	})
}

func FuzzWitnessPolicy(f *testing.F) {
	f.Add("witness w " + vectorWitness + "\ngroup g any w\nquorum g\n")
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := ParseWitnessPolicy(text); err == nil && p.Quorum == "" {
			t.Error("no quorum in " + fmt.Sprint(p))
		}
	})
}
