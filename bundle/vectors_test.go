package bundle

import (
	"bytes"
	"os"
	"testing"

	"github.com/teapot-tee/teapot/tlog"
)

// TestVectorsHold compares a bundle and a receipt of the same small log with the files in docs/formats/vectors. TEAPOT_REGEN=1 writes
// them anew: only after a change of version. Their evidence is not an Evidence document, only bytes with the right digest.
func TestVectorsHold(t *testing.T) {
	l := small(t)
	var rows []tlog.Recorded
	for _, i := range []uint64{5, 6} {
		rows = append(rows, tlog.Recorded{Index: i, Leaf: l.Leaves[i], Path: l.Path(i), Addendum: l.Addenda[i]})
	}
	r, err := tlog.NewReceipt(l.Checkpoint(), rows...)
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for path, got := range map[string][]byte{
		"../docs/formats/vectors/bundle.teapot": write(t, l, func(i uint64) bool { return i != 2 && i != 3 }),
		"../docs/formats/vectors/receipt.json":  receipt,
	} {
		if os.Getenv("TEAPOT_REGEN") == "1" {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: the format has changed", path)
		}
	}
}
