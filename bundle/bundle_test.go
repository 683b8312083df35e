package bundle

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/tlog/tlogtest"
)

// small is a log of two starts and a few entries.
func small(t testing.TB) *tlogtest.Log {
	l := tlogtest.New(t)
	l.Boot()
	for range 3 {
		l.Say("message", "hello")
		l.Say("reply", "How do you do?")
	}
	l.Boot()
	l.Say("message", "once more")
	l.Erase(tlog.RequesterUser, 1)
	return l
}

// write writes a log with everything in it.
func write(t testing.TB, l *tlogtest.Log, keep func(i uint64) bool) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, Header{Origin: l.Origin, Size: l.Hashes.Size(), Nonce: "00ff", Query: Query{Contents: true}})
	if err != nil {
		t.Fatal(err)
	}
	w.Session([]byte(`{"type":"teapot/evidence/v1"}`))
	for n := range l.Starts {
		w.Evidence(tlogtest.Evidence(n))
	}
	w.Collateral([]byte(`{}`))
	w.Checkpoint(l.Checkpoint())
	w.Kinds(l.Kinds.Append(nil))
	for i := range l.Hashes.Size() {
		if keep(i) {
			w.LeaveOut(i, &l.Hashes)
			w.Entry(l.Item(i))
		}
	}
	w.LeaveOut(l.Hashes.Size(), &l.Hashes)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func all(uint64) bool { return true }

// read reads a bundle to its end and rebuilds the tree.
func read(b []byte) (*Reader, []tlog.Item, tlog.Tree, error) {
	var tree tlog.Tree
	r, err := NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, nil, tree, err
	}
	var items []tlog.Item
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r, items, tree, nil
		}
		if err != nil {
			return r, items, tree, err
		}
		items = append(items, item)
		if !item.Left() {
			tree.Append(tlog.RecordHash(item.Leaf))
		} else if err := tree.AppendSubtree(item.Level, item.Hash); err != nil {
			return r, items, tree, err
		}
	}
}

func TestRoundTrip(t *testing.T) {
	l := small(t)
	b := write(t, l, all)
	r, items, tree, err := read(b)
	if err != nil {
		t.Fatal(err)
	}
	if tree.Root() != l.Hashes.Root() || len(items) != int(l.Hashes.Size()) || len(r.Evidence) != 2 || r.Header.Nonce != "00ff" {
		t.Errorf("header %+v, %d items", r.Header, len(items))
	}
	for i, item := range items {
		if want := l.Item(uint64(i)); !bytes.Equal(item.Leaf, want.Leaf) || !bytes.Equal(item.Addendum, want.Addendum) || item.Status != want.Status {
			t.Errorf("item %d: %+v", i, item)
		}
	}
	if !bytes.Equal(write(t, l, all), b) {
		t.Error("two bundles of the same log differ")
	}
}

func TestLeavingOut(t *testing.T) {
	l := small(t)
	for name, keep := range map[string]func(uint64) bool{
		"only the last": func(i uint64) bool { return i == l.Hashes.Size()-1 },
		"every third":   func(i uint64) bool { return i%3 == 0 },
		"none":          func(uint64) bool { return false },
	} {
		_, _, tree, err := read(write(t, l, keep))
		if err != nil || tree.Root() != l.Hashes.Root() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryFlippedByteIsNoticed(t *testing.T) {
	b := write(t, small(t), func(i uint64) bool { return i%2 == 0 })
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 0x40
		if _, _, _, err := read(bad); err == nil {
			t.Fatalf("byte %d flipped, nobody noticed", i)
		}
	}
}

func TestTruncation(t *testing.T) {
	b := write(t, small(t), all)
	for i := len(Magic); i < len(b); i++ {
		_, _, _, err := read(b[:i])
		if _, ok := errors.AsType[*TruncatedError](err); !ok {
			t.Fatalf("cut after %d of %d bytes: %v", i, len(b), err)
		}
	}
	if _, _, _, err := read(b[:5]); !errors.Is(err, ErrNotABundle) {
		t.Errorf("cut inside the magic: %v", err)
	}
	if _, _, _, err := read(append(bytes.Clone(b), 0)); err == nil {
		t.Error("a byte after the end was taken")
	}
}

// records splits a bundle behind its magic.
func records(t *testing.T, b []byte) [][]byte {
	t.Helper()
	var list [][]byte
	for b = b[len(Magic):]; len(b) > 0; {
		n := headLen + (int(b[1])<<24 | int(b[2])<<16 | int(b[3])<<8 | int(b[4]))
		list, b = append(list, b[:n]), b[n:]
	}
	return list
}

func join(list [][]byte) []byte { return append([]byte(Magic), bytes.Join(list, nil)...) }

func TestDroppedDoubledAndSwappedRecords(t *testing.T) {
	list := records(t, write(t, small(t), all))
	for i := range list {
		without := append(append([][]byte{}, list[:i]...), list[i+1:]...)
		doubled := append(append([][]byte{}, list[:i+1]...), list[i:]...)
		swapped := append([][]byte{}, list...)
		swapped[i], swapped[(i+1)%len(list)] = list[(i+1)%len(list)], list[i]
		for name, l := range map[string][][]byte{"dropped": without, "doubled": doubled, "swapped": swapped} {
			if _, _, _, err := read(join(l)); err == nil {
				t.Errorf("record %d of kind %d %s: nobody noticed", i, list[i][0], name)
			}
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	l := small(t)
	for name, f := range map[string]func(w *Writer){
		"nothing":            func(*Writer) {},
		"no checkpoint":      func(w *Writer) { w.Entry(l.Item(0)) },
		"another checkpoint": func(w *Writer) { l2 := small(t); l2.Say("note", "x"); w.Checkpoint(l2.Checkpoint()) },
		"evidence after":     func(w *Writer) { w.Checkpoint(l.Checkpoint()); w.Evidence(nil) },
		"too few entries":    func(w *Writer) { w.Checkpoint(l.Checkpoint()); w.Entry(l.Item(0)) },
		"too many entries": func(w *Writer) {
			w.Checkpoint(l.Checkpoint())
			w.LeaveOut(l.Hashes.Size(), &l.Hashes)
			w.Entry(l.Item(0))
		},
		"disclosed without bytes": func(w *Writer) {
			w.Checkpoint(l.Checkpoint())
			w.Entry(tlog.Item{Leaf: []byte{1}, Status: tlog.StatusDisclosed})
		},
	} {
		w, err := NewWriter(io.Discard, Header{Origin: l.Origin, Size: l.Hashes.Size()})
		if err != nil {
			t.Fatal(err)
		}
		if f(w); w.Close() == nil {
			t.Errorf("%s: closed", name)
		}
	}
}

func TestHeaderIsStrict(t *testing.T) {
	l := small(t)
	good := Header{
		Type: HeaderType, Origin: l.Origin, Size: 9, Nonce: "ab", Query: Query{Window: tlog.Window{From: 1, To: 4, Types: []string{"message", "reply"}}},
	}
	b, err := good.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if h, err := ParseHeader(b); err != nil || !reflect.DeepEqual(*h, good) {
		t.Errorf("%+v %v", h, err)
	}
	for name, bad := range map[string]string{
		"type":       strings.Replace(string(b), "bundle/v1", "bundle/v2", 1),
		"origin":     strings.Replace(string(b), "teapot/0b", "teapot/0B", 1),
		"size":       strings.Replace(string(b), `"size":9`, `"size":9007199254740992`, 1),
		"base":       strings.Replace(string(b), `"size":9`, `"size":9,"base":10`, 1),
		"base zero":  strings.Replace(string(b), `"size":9`, `"size":9,"base":0`, 1),
		"unknown":    strings.Replace(string(b), `"size":9`, `"size":9,"x":1`, 1),
		"twice":      strings.Replace(string(b), `"size":9`, `"size":9,"size":9`, 1),
		"case":       strings.Replace(string(b), `"size"`, `"Size"`, 1),
		"space":      " " + string(b),
		"nonce":      strings.Replace(string(b), `"ab"`, `"AB"`, 1),
		"long nonce": strings.Replace(string(b), `"ab"`, `"`+strings.Repeat("ab", 65)+`"`, 1),
		"types":      strings.Replace(string(b), `"message","reply"`, `"reply","message"`, 1),
		"type twice": strings.Replace(string(b), `"message","reply"`, `"reply","reply"`, 1),
		"bounds":     strings.Replace(string(b), `"from":1`, `"from":5`, 1),
		"room":       strings.Replace(string(b), `"contents"`, `"room":"zz","contents"`, 1),
	} {
		if bad == string(b) {
			t.Fatalf("%s: nothing was spoiled in %s", name, b)
		}
		if _, err := ParseHeader([]byte(bad)); err == nil {
			t.Errorf("%s: %s passed", name, bad)
		}
	}
}

func TestDetect(t *testing.T) {
	for want, b := range map[Form]string{
		FormBundle: Magic, FormReceipt: `{"type":"teapot/receipt/v1"}`, FormFork: ` {"type":"teapot/fork/v1"}`,
		FormEvidence: `{"type":"teapot/evidence/v1"}`, FormProofFile: "c2sp.org/tlog-proof@v1\nindex 1\n", FormUnknown: "<html>",
	} {
		if got := Detect([]byte(b)); got != want {
			t.Errorf("%q: got %q, want %q", b, got, want)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add(write(f, small(f), all))
	f.Add(write(f, small(f), func(i uint64) bool { return i == 3 }))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, items, tree, err := read(b)
		if err != nil {
			return
		}
		if tree.Size() != r.Header.Size && r.Header.Base == 0 {
			t.Errorf("%d items cover %d of %d", len(items), tree.Size(), r.Header.Size)
		}
	})
}

// A stream of empty documents would have a reader collect them for as long as it is sent.
func TestEmptyDocumentsEnd(t *testing.T) {
	head := records(t, write(t, small(t), all))[0]
	empty := bytes.Repeat(appendHead(nil, kindEvidence, 0), MaxDocuments/minCounted+1)
	if _, err := NewReader(bytes.NewReader(join([][]byte{head, empty}))); !errors.As(err, new(*MalformedError)) {
		t.Errorf("%v", err)
	}
}
