package segment

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/teapot-tee/teapot/actionlog/disk/disktest"
)

func header() Header {
	return Header{Origin: sha256.Sum256([]byte("origin")), Number: 1, Boot: [16]byte{7}}
}

func write(t *testing.T, d *disktest.Disk, groups ...[][]byte) *Writer {
	t.Helper()
	w, err := Create(d, "log", NewKeys([32]byte{1}), header(), true)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		if _, err := w.Append(g); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func read(d *disktest.Disk) (payloads []string, err error) {
	r, err := Open(d, "log", NewKeys([32]byte{1}), header().Origin, 1)
	if err != nil {
		return nil, err
	}
	return payloads, r.Scan(func(f Frame) error {
		payloads = append(payloads, string(f.Payload))
		return nil
	})
}

// TestFormatVector pins the bytes of docs/formats/segment.md.
func TestFormatVector(t *testing.T) {
	d := disktest.New()
	w := write(t, d, [][]byte{[]byte("hello")}, [][]byte{[]byte("two"), []byte("frames")})
	sum := sha256.Sum256(d.Read("log/00000001.segment")[:w.Size()])
	if got := hex.EncodeToString(sum[:]); w.Size() != 192+3*80 || got != "0498d7310d6730c28b0d2478ccbccaf3ede7571f153333c53e50427ca434225e" {
		t.Errorf("%d bytes with SHA-256 %s", w.Size(), got)
	}
}

func TestRoundTrip(t *testing.T) {
	d := disktest.New()
	long := bytes.Repeat([]byte("x"), 100_000)
	w := write(t, d, [][]byte{[]byte("a")}, [][]byte{[]byte("b"), long}, [][]byte{{}})
	got, err := read(d)
	if err != nil || len(got) != 4 || got[2] != string(long) {
		t.Fatalf("%d payloads, %v", len(got), err)
	}
	places, err := w.Append([][]byte{[]byte("later")})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := w.Reader().Read(places[0]); err != nil || string(p) != "later" {
		t.Errorf("random access: %q, %v", p, err)
	}
}

// TestEveryCutIsTorn: a write that stops at any byte is dropped, never taken for damage.
func TestEveryCutIsTorn(t *testing.T) {
	d := disktest.New()
	w := write(t, d, [][]byte{[]byte("kept")})
	before := w.Size()
	if _, err := w.Append([][]byte{bytes.Repeat([]byte("y"), 1200)}); err != nil {
		t.Fatal(err)
	}
	whole := append(d.Read("log/00000001.segment"), make([]byte, 2000)...)
	for cut := before; cut < w.Size()-endSize; cut++ {
		bad := bytes.Clone(whole)
		clear(bad[cut:])
		d.Put("log/00000001.segment", bad)
		if got, err := read(d); err != nil || len(got) != 1 {
			t.Fatalf("cut at byte %d: %d payloads, %v", cut, len(got), err)
		}
		d.Put("log/00000001.segment", bad[:cut]) // the same without preallocation
		if got, err := read(d); err != nil || len(got) != 1 {
			t.Fatalf("file ends at byte %d: %d payloads, %v", cut, len(got), err)
		}
	}
}

// TestEveryFlipIsDamage: a changed bit in a frame that was written whole is never taken for a torn end.
func TestEveryFlipIsDamage(t *testing.T) {
	d := disktest.New()
	w := write(t, d, [][]byte{[]byte("first")}, [][]byte{bytes.Repeat([]byte("y"), 900)})
	whole := append(d.Read("log/00000001.segment"), make([]byte, 2000)...)
	for at := int64(0); at < w.Size(); at++ {
		bad := bytes.Clone(whole)
		bad[at] ^= 1 << (at % 8)
		d.Put("log/00000001.segment", bad)
		got, err := read(d)
		var f *Fault
		inMark := at >= w.Size()-endSize || at >= 192+80-endSize && at < 192+80
		switch {
		case inMark && (err != nil || len(got) != 2):
			t.Fatalf("byte %d of an end mark: %d payloads, %v", at, len(got), err)
		case !inMark && !errors.As(err, &f):
			t.Fatalf("byte %d: %d payloads, %v", at, len(got), err)
		}
	}
}

func TestContentKeysForget(t *testing.T) {
	d := disktest.New()
	k := NewKeys([32]byte{1})
	c, err := NewContentKeys(d, "log", k, header())
	if err != nil {
		t.Fatal(err)
	}
	wraps, sealed := map[uint64][]byte{}, map[uint64][]byte{}
	for i := range uint64(5) {
		wraps[i], sealed[i] = c.Seal(i, []byte{byte(i)})
	}
	next, err := c.Erase(d, "log", k, wraps, []uint64{1, 3})
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenContentKeys(d, "log", k, header())
	if err != nil {
		t.Fatal(err)
	}
	for _, keys := range []*ContentKeys{next, again} {
		for i := range uint64(5) {
			got, err := keys.Open(i, wraps[i], sealed[i])
			if gone := i == 1 || i == 3; gone && !errors.Is(err, ErrErased) || !gone && (err != nil || got[0] != byte(i)) {
				t.Errorf("content %d: %v, %v", i, got, err)
			}
		}
	}
	if _, err := OpenContentKeys(d, "log", NewKeys([32]byte{2}), header()); err == nil {
		t.Error("content keys opened under another storage key")
	}
	if _, err := c.Open(2, wraps[2], sealed[1]); err == nil {
		t.Error("a content opened under the key of another")
	}
}
