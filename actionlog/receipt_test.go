package actionlog_test

import (
	"testing"

	"github.com/teapot-tee/teapot/tlog"
)

// TestReceiptsOutliveTheStart asks for the receipt file of every entry after a restart: entry, boot leaf and checkpoint must belong to one
// start, or no reader can tell whose keys signed.
func TestReceiptsOutliveTheStart(t *testing.T) {
	s, l := storyLog(t, t.TempDir())
	defer s.Close()
	for i := range l.Size() {
		r, err := l.Receipt([]uint64{i}, true, true)
		if err != nil {
			t.Fatalf("entry %d: %v", i, err)
		}
		c, err := tlog.ParseCheckpoint([]byte(r.Checkpoint))
		if err != nil {
			t.Fatal(err)
		}
		entry, err := tlog.DecodeLeaf(r.Entries[0].Leaf)
		if err != nil {
			t.Fatal(err)
		}
		start, err := tlog.DecodeLeaf(r.Boot.Leaf)
		if err != nil || start.Start == nil || start.Boot != entry.Boot {
			t.Fatalf("entry %d: boot leaf %+v %v", i, start, err)
		}
		if c.SignedByLog(l.LogKey()) != tlog.SigGood || c.SignedByBoot(start.Start.BootKey[:]) != tlog.SigGood {
			t.Errorf("entry %d: the checkpoint is not signed by the keys of its start", i)
		}
		if !entry.Verify(start.Start.AgentKey[:]) {
			t.Errorf("entry %d: not signed by the agent key of its start", i)
		}
		if err := tlog.VerifyInclusion(tlog.RecordHash(r.Entries[0].Leaf), i, c.Size, r.Path(0), c.Root); err != nil {
			t.Error(err)
		}
		if err := tlog.VerifyInclusion(tlog.RecordHash(r.Boot.Leaf), r.Boot.Index, c.Size, r.Boot.Proof, c.Root); err != nil {
			t.Error(err)
		}
	}
	if _, err := l.Receipt(nil, true, true); err == nil {
		t.Error("a receipt of nothing was made")
	}
}
