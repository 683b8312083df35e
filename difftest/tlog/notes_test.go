package tlog

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	formats "github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/formats/witness"
	mproof "github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	xtlog "golang.org/x/mod/sumdb/tlog"

	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/tlog/tlogtest"
)

func TestXModOpensOurCheckpoint(t *testing.T) {
	l := tlogtest.New(t)
	l.Boot()
	l.Say("message", "hello")
	boot, err := note.NewVerifier(tlog.BootVerifier(l.Origin, l.BootKey.Public().(ed25519.PublicKey)).String())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(l.Checkpoint(), note.VerifierList(verifier(t, l), boot))
	if err != nil || len(n.Sigs) != 2 || len(n.UnverifiedSigs) != 0 {
		t.Fatalf("%+v %v", n, err)
	}
	ours, err := tlog.ParseNote(l.Checkpoint())
	if err != nil || ours.Text != n.Text {
		t.Errorf("%q %v", ours.Text, err)
	}
	c, rest, _, err := formats.ParseCheckpoint(l.Checkpoint(), l.Origin, verifier(t, l), boot)
	if err != nil || len(rest) != 0 || c.Size != 2 || tlog.Hash(c.Hash) != l.Hashes.Root() {
		t.Errorf("%+v %v", c, err)
	}
}

func TestWeOpenXModsNotes(t *testing.T) {
	skey, vkey, err := note.GenerateKey(rand.NewChaCha8([32]byte{1}), "example.com/log")
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	text := tlog.Checkpoint{Origin: "example.com/log", Size: 5, Root: tlog.Hash{1}}.Text()
	raw, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		t.Fatal(err)
	}
	v, err := tlog.ParseVerifier(vkey)
	if err != nil || v.String() != vkey {
		t.Fatalf("%v %v", v, err)
	}
	c, err := tlog.ParseCheckpoint(raw)
	if err != nil || c.Note.Verify(v) != tlog.SigGood || c.Text() != text {
		t.Errorf("%+v %v", c, err)
	}
}

// mirror is our log as x/mod stores it.
type mirror []xtlog.Hash

func (m mirror) ReadHashes(indexes []int64) (out []xtlog.Hash, err error) {
	for _, i := range indexes {
		out = append(out, m[i])
	}
	return out, nil
}

func TestProofsAgree(t *testing.T) {
	var ours tlog.Hashes
	var theirs mirror
	const n = 300
	for i := range int64(n) {
		leaf := fmt.Appendf(nil, "leaf %d", i)
		ours.Append(tlog.RecordHash(leaf))
		more, err := xtlog.StoredHashes(i, leaf, theirs)
		if err != nil {
			t.Fatal(err)
		}
		theirs = append(theirs, more...)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		size := 1 + r.Int64N(n)
		i := r.Int64N(size)
		root, err := tlog.RootAt(uint64(size), &ours)
		if th, err2 := xtlog.TreeHash(size, theirs); err != nil || err2 != nil || tlog.Hash(th) != root {
			t.Fatalf("root of %d: %v %v", size, err, err2)
		}
		inclusionAgrees(t, &ours, theirs, size, i, root)
		consistencyAgrees(t, &ours, theirs, size, i+1, root)
	}
}

func inclusionAgrees(t *testing.T, ours *tlog.Hashes, theirs mirror, size, i int64, root tlog.Hash) {
	t.Helper()
	a, err := tlog.InclusionProof(uint64(i), uint64(size), ours)
	b, err2 := xtlog.ProveRecord(size, i, theirs)
	if err != nil || err2 != nil || fmt.Sprint(a) != fmt.Sprint(fromX(b)) {
		t.Fatalf("inclusion of %d in %d: %v %v", i, size, err, err2)
	}
	leaf, _ := ours.ReadHash(0, uint64(i))
	if err := mproof.VerifyInclusion(rfc6962.DefaultHasher, uint64(i), uint64(size), leaf[:], bytesOf(a), root[:]); err != nil {
		t.Error(err)
	}
}

func consistencyAgrees(t *testing.T, ours *tlog.Hashes, theirs mirror, size, from int64, root tlog.Hash) {
	t.Helper()
	a, err := tlog.ConsistencyProof(uint64(from), uint64(size), ours)
	b, err2 := xtlog.ProveTree(size, from, theirs)
	if err != nil || err2 != nil || fmt.Sprint(a) != fmt.Sprint(fromX(b)) {
		t.Fatalf("consistency %d to %d: %v %v", from, size, err, err2)
	}
	old, _ := tlog.RootAt(uint64(from), ours)
	if err := mproof.VerifyConsistency(rfc6962.DefaultHasher, uint64(from), uint64(size), bytesOf(a), old[:], root[:]); err != nil {
		t.Error(err)
	}
}

func fromX(list []xtlog.Hash) (out []tlog.Hash) {
	for _, h := range list {
		out = append(out, tlog.Hash(h))
	}
	return out
}

func bytesOf(list []tlog.Hash) (out [][]byte) {
	for _, h := range list {
		out = append(out, h[:])
	}
	return out
}

func TestFormatsReadsOurProofFileAndCosignature(t *testing.T) {
	l := tlogtest.New(t)
	l.Boot()
	l.Say("message", "hello")
	text, _, _ := strings.Cut(string(l.Checkpoint()), "\n\n")
	line, err := tlog.Cosign(text+"\n", "witness.example/w", tlogtest.Key(2), 1_760_000_000)
	if err != nil {
		t.Fatal(err)
	}
	cp, err := tlog.AppendLines(l.Checkpoint(), line)
	if err != nil {
		t.Fatal(err)
	}
	file := tlog.ProofFile{Index: 1, Path: l.Path(1), Checkpoint: cp}
	var theirs proof.TLogProof
	if err := theirs.Unmarshal(file.Marshal()); err != nil || theirs.Index != 1 || len(theirs.Hashes) != 1 || !bytes.Equal(theirs.Checkpoint, cp) {
		t.Fatalf("%+v %v", theirs, err)
	}
	vkey := tlog.Verifier{Name: "witness.example/w", Type: tlog.AlgCosignature, Key: tlogtest.Pub(2)}.String()
	v, err := fnote.NewVerifierForCosignatureV1(vkey)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(cp, note.VerifierList(v))
	if err != nil || len(n.Sigs) != 1 {
		t.Fatal(err)
	}
	if at, err := fnote.CoSigV1Timestamp(n.Sigs[0]); err != nil || !at.Equal(time.Unix(1_760_000_000, 0)) {
		t.Errorf("%v %v", at, err)
	}
	policyAgrees(t, vkey, cp)
}

// policyAgrees asks both parsers about the same policies.
func policyAgrees(t *testing.T, vkey string, cp []byte) {
	t.Helper()
	other := tlog.Verifier{Name: "witness.example/o", Type: tlog.AlgCosignature, Key: tlogtest.Pub(3)}.String()
	head := "witness w " + vkey + " https://w.example\nwitness o " + other + " https://o.example\n"
	c, err := tlog.ParseCheckpoint(cp)
	if err != nil {
		t.Fatal(err)
	}
	for _, tail := range []string{"quorum w\n", "quorum o\n", "group g any w o\nquorum g\n", "group g all w o\nquorum g\n", "group g 1 w o\nquorum g\n", "quorum none\n"} {
		theirs, err := witness.ParsePolicy([]byte(head + tail))
		if err != nil {
			t.Fatalf("%s: %v", tail, err)
		}
		ours, err := tlog.ParseWitnessPolicy(head + tail)
		if err != nil {
			t.Fatalf("%s: %v", tail, err)
		}
		if got, want := ours.Judge(c).Satisfied, theirs.Satisfied(cp); got != want {
			t.Errorf("%s: we say %v, they say %v", tail, got, want)
		}
	}
}
