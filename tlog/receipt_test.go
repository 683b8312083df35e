package tlog_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/tlog/tlogtest"
)

// recorded returns entry i as a receipt takes it.
func recorded(l *tlogtest.Log, i uint64, content bool) tlog.Recorded {
	return tlog.Recorded{Index: i, Leaf: l.Leaves[i], Path: l.Path(i), Addendum: l.Addenda[i], WithContent: content}
}

func TestReceiptRoundTrip(t *testing.T) {
	l := history(t)
	r, err := tlog.NewReceipt(l.Checkpoint(), recorded(l, 5, false), recorded(l, 6, true))
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	back, err := tlog.ParseReceipt(b)
	if err != nil {
		t.Fatal(err)
	}
	c, err := tlog.ParseCheckpoint([]byte(back.Checkpoint))
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{"hello", "How do you do?"} {
		e := back.Entries[i]
		if err := tlog.VerifyInclusion(tlog.RecordHash(e.Leaf), e.Index, c.Size, back.Path(i), c.Root); err != nil {
			t.Error(err)
		}
		leaf, err := tlog.DecodeLeaf(e.Leaf)
		if err != nil {
			t.Fatal(err)
		}
		addendum, err := e.Addendum([]byte(text))
		if err != nil || !tlog.Opens(leaf.Content.Commitment, addendum) {
			t.Errorf("entry %d does not open with its text: %v", i, err)
		}
		if addendum, _ = e.Addendum([]byte(text + "!")); tlog.Opens(leaf.Content.Commitment, addendum) {
			t.Errorf("entry %d opens with another text", i)
		}
	}
	if back.Entries[0].Content != nil || string(back.Entries[1].Content) != "How do you do?" {
		t.Error("the content is not where it was asked for")
	}
}

// TestReceiptOfALargeLogIsSmall has a message and its reply as in a log of two million entries: proofs of 21 hashes, of which the
// last 17 are the same, and two cosignatures.
func TestReceiptOfALargeLogIsSmall(t *testing.T) {
	l := tlogtest.New(t)
	l.Boot()
	at := func(x *tlog.Leaf) { x.Index, x.KSeq, x.Boot = 2_000_000, 300_000, 1200 }
	l.Say("message", "hello", at)
	l.Say("reply", "How do you do?", at, func(x *tlog.Leaf) { x.Index, x.Cause = 2_000_006, []uint64{2_000_000, 2_000_005} })
	var kept []tlog.Recorded
	for i := range uint64(2) {
		path := make([]tlog.Hash, 21)
		for j := range path {
			path[j] = tlog.Hash{byte(j)}
			if j < 4 {
				path[j][1] = byte(i)
			}
		}
		kept = append(kept, tlog.Recorded{Index: 2_000_000 + 6*i, Leaf: l.Leaves[1+i], Path: path, Addendum: l.Addenda[1+i]})
	}
	note := l.Checkpoint()
	text, _, _ := strings.Cut(string(note), "\n\n")
	for i := range byte(2) {
		line, err := tlog.Cosign(text+"\n", fmt.Sprintf("witness.example/%d", i), tlogtest.Key(20+i), 1760000000)
		if err != nil {
			t.Fatal(err)
		}
		if note, err = tlog.AppendLines(note, line); err != nil {
			t.Fatal(err)
		}
	}
	r, err := tlog.NewReceipt(note, kept...)
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Marshal()
	if err != nil || len(b) > tlog.MaxReceipt || len(r.Shared) != 17 {
		t.Errorf("%d bytes, at most %d are allowed; %d hashes shared: %v", len(b), tlog.MaxReceipt, len(r.Shared), err)
	}
	t.Logf("%d bytes", len(b))
}

func TestReceiptIsStrict(t *testing.T) {
	l := history(t)
	r, err := tlog.NewReceipt(l.Checkpoint(), recorded(l, 5, false), recorded(l, 6, false))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := r.Marshal()
	good := string(b)
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, b, "", "  "); err != nil {
		t.Fatal(err)
	}
	if _, err := tlog.ParseReceipt(pretty.Bytes()); err != nil {
		t.Errorf("an indented receipt: %v", err)
	}
	for name, bad := range map[string]string{
		"version":        strings.Replace(good, "receipt/v1", "receipt/v2", 1),
		"unknown member": strings.Replace(good, `{"type"`, `{"x":1,"type"`, 1),
		"member twice":   strings.Replace(good, `{"type"`, `{"type":"teapot/receipt/v1","type"`, 1),
		"inner twice":    strings.Replace(good, `{"index":5`, `{"index":5,"index":5`, 1),
		"other case":     strings.Replace(good, `"index":5`, `"Index":5`, 1),
		"no entries":     good[:strings.Index(good, `"entries":`)] + `"entries":[]}`,
		"order":          strings.Replace(good, `"index":5`, `"index":7`, 1),
		"salt":           strings.Replace(good, `"salt":"`, `"salt":"AAAA`, 1),
		"half a hash":    strings.Replace(good, `"shared":"`, `"shared":"AAAA`, 1),
		"exponent":       strings.Replace(good, `"index":5`, `"index":5e0`, 1),
		"trailing":       good + "{}",
		"null":           strings.Replace(good, `"shared":"`, `"shared":null,"x":"`, 1),
		"boot alone":     strings.Replace(good, `"entries":`, `"boot":{"index":0,"leaf":"AA==","proof":""},"entries":`, 1),
	} {
		if bad == good {
			t.Fatalf("%s: nothing was spoiled", name)
		}
		if _, err := tlog.ParseReceipt([]byte(bad)); err == nil {
			t.Errorf("%s passed", name)
		}
	}
}

func TestFork(t *testing.T) {
	a, b := history(t), history(t)
	a.Say("note", "for one reader")
	b.Say("note", "for another")
	same, err := tlog.NewFork(tlogtest.Pub(1), a.Checkpoint(), b.Checkpoint(), b.Hashes.Root(), nil)
	if err != nil {
		t.Fatalf("equal sizes: %v", err)
	}
	older := a.Checkpoint()
	size, root := b.Hashes.Size(), b.Hashes.Root()
	b.Boot()
	b.Say("note", "and on")
	proof, err := tlog.ConsistencyProof(size, b.Hashes.Size(), &b.Hashes)
	if err != nil {
		t.Fatal(err)
	}
	longer, err := tlog.NewFork(tlogtest.Pub(1), older, b.Checkpoint(), root, proof)
	if err != nil {
		t.Fatalf("a longer one: %v", err)
	}
	for _, f := range []*tlog.Fork{same, longer} {
		text, err := f.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := tlog.ParseFork(text)
		if err != nil || back.Verify() != nil {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := tlog.ParseFork([]byte(strings.Replace(string(text), "fork/v1", "fork/v2", 1))); err == nil {
			t.Error("another version was read")
		}
	}
}

func TestWhatIsNoFork(t *testing.T) {
	a := history(t)
	older, size, root := a.Checkpoint(), a.Hashes.Size(), a.Hashes.Root()
	a.Say("note", "on")
	newer := a.Checkpoint()
	proof, err := tlog.ConsistencyProof(size, a.Hashes.Size(), &a.Hashes)
	if err != nil {
		t.Fatal(err)
	}
	other := history(t)
	other.LogKey = tlogtest.Key(4)
	other.Say("note", "x")
	for name, f := range map[string]struct {
		a, b  []byte
		root  tlog.Hash
		proof []tlog.Hash
	}{
		"an extension":            {older, newer, root, proof},
		"the same twice":          {older, older, root, nil},
		"a made-up root":          {older, newer, tlog.Hash{1}, proof},
		"the wrong way round":     {newer, older, root, proof},
		"signed by somebody else": {older, other.Checkpoint(), other.Hashes.Root(), nil},
	} {
		if _, err := tlog.NewFork(tlogtest.Pub(1), f.a, f.b, f.root, f.proof); err == nil {
			t.Errorf("%s: a fork", name)
		}
	}
	if _, err := tlog.NewFork(tlogtest.Pub(4), older, newer, tlog.Hash{1}, proof); err == nil {
		t.Error("another key than the origin's: a fork")
	}
}

func FuzzReceipt(f *testing.F) {
	l := history(f)
	r, _ := tlog.NewReceipt(l.Checkpoint(), recorded(l, 5, true), recorded(l, 6, true))
	b, _ := r.Marshal()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := tlog.ParseReceipt(b)
		if err != nil {
			return
		}
		again, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := tlog.ParseReceipt(again); err != nil || len(back.Entries) != len(r.Entries) {
			t.Errorf("%s became %s: %v", b, again, err)
		}
	})
}

func FuzzDisclosed(f *testing.F) {
	d := tlog.Disclosed{Room: "r", User: "u", Content: []byte("c")}
	b, _ := d.Append(nil)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := tlog.ParseDisclosed(b)
		if err != nil {
			return
		}
		if again, err := d.Append(nil); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x became %x: %v", b, again, err)
		}
	})
}
