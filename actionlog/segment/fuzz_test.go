package segment

import (
	"errors"
	"testing"

	"github.com/teapot-tee/teapot/actionlog/disk/disktest"
)

// FuzzOpen: whatever the host puts into a segment file, the scan ends: with frames that were written, or a Fault.
func FuzzOpen(f *testing.F) {
	d := disktest.New()
	w, err := Create(d, "log", NewKeys([32]byte{1}), header(), true)
	if err != nil {
		f.Fatal(err)
	}
	for _, g := range [][][]byte{{[]byte("hello")}, {[]byte("two"), []byte("frames")}} {
		if _, err := w.Append(g); err != nil {
			f.Fatal(err)
		}
	}
	whole := d.Read("log/00000001.segment")
	f.Add(whole)
	f.Add(whole[:300])
	f.Add(append(append([]byte{}, whole...), whole[192:]...))
	written := map[string]bool{"hello": true, "two": true, "frames": true}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := disktest.New()
		d.Put("log/00000001.segment", b)
		got, err := read(d)
		var fault *Fault
		if err != nil && !errors.As(err, &fault) && !errors.Is(err, ErrEmpty) {
			t.Fatalf("neither frames nor a reason: %v", err)
		}
		for _, p := range got {
			if !written[p] {
				t.Fatalf("a frame that was never written: %q", p)
			}
		}
	})
}
