package bundle

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/tlog/tlogtest"
)

// forged joins records under a fresh checksum, as somebody who edits a bundle would.
func forged(list [][]byte) []byte {
	b := join(list[:len(list)-1])
	sum := sha256.Sum256(b)
	return append(appendHead(b, kindEnd, len(sum)), sum[:]...)
}

// holds says whether a bundle reads and its log passes the audit.
func holds(b []byte) bool {
	r, err := NewReader(bytes.NewReader(b))
	if err != nil {
		return false
	}
	a, err := tlog.NewAuditor(tlog.AuditOptions{
		Origin: r.Header.Origin, LogKey: tlogtest.Pub(1), Kinds: r.Kinds, Window: r.Header.Query.Window, Contents: true, Workers: 1,
	})
	if err != nil {
		return false
	}
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			return a.Finish(r.Checkpoint).OK()
		}
		if err != nil || a.Add(item) != nil {
			return false
		}
	}
}

// erased is small with the content of entry 1 gone, as its erasure leaf says.
func erased(t *testing.T, keep func(uint64) bool, types ...string) [][]byte {
	l := small(t)
	var out bytes.Buffer
	w, err := NewWriter(&out, Header{Origin: l.Origin, Size: l.Hashes.Size(), Query: Query{Contents: true, Window: tlog.Window{Types: types}}})
	if err != nil {
		t.Fatal(err)
	}
	w.Checkpoint(l.Checkpoint())
	w.Kinds(l.Kinds.Append(nil))
	for i := range l.Hashes.Size() {
		if !keep(i) {
			continue
		}
		item := l.Item(i)
		if i == 1 {
			item = tlog.Item{Leaf: item.Leaf, Status: tlog.StatusErased}
		}
		w.LeaveOut(i, &l.Hashes)
		w.Entry(item)
	}
	w.LeaveOut(l.Hashes.Size(), &l.Hashes)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return records(t, out.Bytes())
}

// TestAForgerOfTheChecksumGetsNoFurther changes every byte of checkpoint, entries and hashes, drops, doubles and swaps records,
// and mends the checksum.
func TestAForgerOfTheChecksumGetsNoFurther(t *testing.T) {
	for name, list := range map[string][][]byte{
		"whole":   erased(t, all),
		"partial": erased(t, func(i uint64) bool { return i%2 == 0 || i == 7 || i == 9 }, "reply"),
	} {
		if !holds(forged(list)) {
			t.Fatalf("%s: the log itself does not hold", name)
		}
		for i := range list[:len(list)-1] {
			changeBytes(t, name, list, i)
			moveRecord(t, name, list, i)
		}
	}
}

func changeBytes(t *testing.T, name string, list [][]byte, i int) {
	t.Helper()
	k := kind(list[i][0])
	if k < kindCheckpoint || k == kindKinds && name == "whole" {
		return // what the audit of a whole log does not need
	}
	step := 3
	if raceEnabled {
		step = 7
	}
	for at := 0; at < len(list[i]); at += step {
		spoiled := slices.Clone(list)
		spoiled[i] = slices.Clone(list[i])
		spoiled[i][at] ^= 0x10
		if holds(forged(spoiled)) {
			t.Errorf("%s: byte %d of record %d (kind %d) changed, and it holds", name, at, i, k)
		}
	}
}

func moveRecord(t *testing.T, name string, list [][]byte, i int) {
	t.Helper()
	if k := kind(list[i][0]); k == kindKinds && name == "whole" {
		return
	}
	next := (i + 1) % (len(list) - 1)
	swapped := slices.Clone(list)
	swapped[i], swapped[next] = swapped[next], swapped[i]
	for what, l := range map[string][][]byte{
		"dropped": slices.Delete(slices.Clone(list), i, i+1), "doubled": slices.Insert(slices.Clone(list), i, list[i]), "swapped": swapped,
	} {
		if holds(forged(l)) {
			t.Errorf("%s: record %d (kind %d) %s, and it holds", name, i, list[i][0], what)
		}
	}
}

// FuzzForger lets the fuzzer edit everything between the magic and the checksum. Whatever still holds must be over the tree that was
// signed.
func FuzzForger(f *testing.F) {
	l := small(f)
	whole := write(f, l, all)
	end := headLen + sha256.Size
	f.Add(whole[len(Magic) : len(whole)-end])
	part := write(f, l, func(i uint64) bool { return i%3 == 0 || i == 7 || i == 9 })
	f.Add(part[len(Magic) : len(part)-end])
	f.Fuzz(func(t *testing.T, body []byte) {
		b := append([]byte(Magic), body...)
		sum := sha256.Sum256(b)
		b = append(appendHead(b, kindEnd, len(sum)), sum[:]...)
		if !holds(b) {
			return
		}
		r, err := NewReader(bytes.NewReader(b))
		if err != nil || r.Checkpoint.Root != l.Hashes.Root() {
			t.Errorf("a tree that nobody signed holds: %v", err)
		}
	})
}
