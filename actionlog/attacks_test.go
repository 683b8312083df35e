package actionlog_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/actionlog/disk/disktest"
	"github.com/teapot-tee/teapot/bundle"
	"github.com/teapot-tee/teapot/tlog"
)

// The tests of this file are named after the rows of the attack table (facts/tlog.md section 9) that need no witness. Four rows
// are about other rooms, and so are their tests: TestAttackReplayAnOldExtraction and TestAttackTwoHistoriesToTwoReaders in
// verify, TestAttackAttestAForeignKeyThroughAnOpenEndpoint in guestapi, TestAttackAgentCodeDoesNotCallTheLog in agent. The last
// row, a forger with a quantum computer, is open: there is no ML-DSA line on our checkpoints (docs/decisions/0051).
// The attacker has the disk and the clock, not the memory of the process.

const segmentOne = "logs/" + agentID + "-0/00000001.segment"

// TestAttackChangeAStoredEntry changes a byte between two starts.
func TestAttackChangeAStoredEntry(t *testing.T) {
	d := disktest.New()
	s := openStore(t, memoryOptions(d))
	l := openLog(t, s)
	boot(t, l, 0)
	p := appendOne(t, l, message("room", "pay bob"))
	appendOne(t, l, message("room", "and alice"))
	s.Close()
	raw := d.Read(segmentOne)
	raw[1200] ^= 0x40
	w := newWitness()
	w.saw(p)
	c := d.Copy()
	c.Put(segmentOne, raw)
	if w.reopened(t, c, true) {
		t.Error("a changed frame was accepted")
	}
}

// TestAttackChangeWhileRunning changes the file under an open log: what is read is compared with memory.
func TestAttackChangeWhileRunning(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, storeOptions(dir))
	defer s.Close()
	l := openLog(t, s)
	boot(t, l, 0)
	story(t, l)
	file := filepath.Join(dir, segmentOne)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte{raw[700] ^ 1}, 700); err != nil {
		t.Fatal(err)
	}
	bad := 0
	for i := range l.Size() {
		if _, err := l.Entry(t.Context(), i); err != nil {
			bad++
		}
	}
	if bad != 1 {
		t.Errorf("%d entries refused, want the one that was changed", bad)
	}
	checkProof(t, l, appendOne(t, l, message("r", "the log goes on, over the tree in memory")), bootOf(0))
}

// TestAttackDeleteOrReorderOne: frames are chained, so none can go or move.
func TestAttackDeleteOrReorderOne(t *testing.T) {
	d := disktest.New()
	s := openStore(t, memoryOptions(d))
	l := openLog(t, s)
	w := newWitness()
	w.saw(boot(t, l, 0))
	sizes := []int{192}
	for i := range 3 {
		w.saw(appendOne(t, l, message("room", strings.Repeat("x", 100*i))))
	}
	s.Close()
	raw := d.Read(segmentOne)
	for at := 192; at < len(raw) && raw[at+3]|raw[at+2] != 0; {
		at += 48 + int(raw[at+2])<<8 + int(raw[at+3])
		sizes = append(sizes, at)
	}
	if len(sizes) != 5 {
		t.Fatalf("frames at %v", sizes)
	}
	frame := func(i int) []byte { return raw[sizes[i]:sizes[i+1]] }
	for name, frames := range map[string][][]byte{
		"deleted":  {frame(0), frame(2), frame(3)},
		"swapped":  {frame(0), frame(2), frame(1), frame(3)},
		"repeated": {frame(0), frame(1), frame(1), frame(2), frame(3)},
		"first":    {frame(1), frame(2), frame(3)},
	} {
		bad := append(bytes.Clone(raw[:192]), bytes.Join(frames, nil)...)
		c := d.Copy()
		c.Put(segmentOne, append(bad, make([]byte, len(raw))...))
		if w.reopened(t, c, true) {
			t.Errorf("a frame was %s and nobody noticed", name)
		}
	}
}

// known audits a log against checkpoints a reader kept.
func known(t *testing.T, l *actionlog.Log, notes ...[]byte) *tlog.AuditReport {
	t.Helper()
	var seen []tlog.Checkpoint
	for _, n := range notes {
		c, err := tlog.ParseCheckpoint(n)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, c.Checkpoint)
	}
	var b bytes.Buffer
	if err := l.Bundle(t.Context(), &b, actionlog.Extract{}); err != nil {
		t.Fatal(err)
	}
	r, err := bundle.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	a, err := tlog.NewAuditor(tlog.AuditOptions{Origin: l.Origin(), LogKey: l.LogKey(), Known: seen})
	if err != nil {
		t.Fatal(err)
	}
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			return a.Finish(r.Checkpoint)
		}
		if err != nil {
			t.Fatal(err)
		}
		item.Leaf = bytes.Clone(item.Leaf)
		if err := a.Add(item); err != nil {
			t.Fatal(err)
		}
	}
}

// older returns a log that was started on a disk from before its newest entries, and the checkpoint that had been seen.
func older(t *testing.T, spoil func(d *disktest.Disk) *disktest.Disk) (*actionlog.Log, []byte) {
	t.Helper()
	d := disktest.New()
	s := openStore(t, memoryOptions(d))
	l := openLog(t, s)
	boot(t, l, 0)
	appendOne(t, l, message("room", "first"))
	before := d.Copy()
	appendOne(t, l, message("room", "second"))
	seen := l.Checkpoint()
	s.Close()
	if spoil != nil {
		before = spoil(d)
	}
	s = openStore(t, memoryOptions(before))
	t.Cleanup(func() { s.Close() })
	l = openLog(t, s)
	boot(t, l, 1)
	appendOne(t, l, message("room", "another second"))
	return l, seen
}

// TestAttackTruncateTheTail: nothing in the directory shows it; a saved checkpoint does.
func TestAttackTruncateTheTail(t *testing.T) {
	l, seen := older(t, func(d *disktest.Disk) *disktest.Disk {
		c := d.Copy()
		raw := bytes.TrimRight(c.Read(segmentOne), "\x00")
		c.Put(segmentOne, raw[:len(raw)-40])
		return c
	})
	if report := known(t, l, seen); report.OK() {
		t.Error("a reader with a saved checkpoint did not notice a cut tail")
	}
}

// TestAttackRollTheDiskBackWhole: the same, and the new history is consistent only with itself.
func TestAttackRollTheDiskBackWhole(t *testing.T) {
	l, seen := older(t, nil)
	if report := known(t, l); !report.OK() {
		t.Errorf("the rolled back log does not even verify by itself: %s", failures(report))
	}
	if report := known(t, l, seen); report.OK() {
		t.Error("a reader with a saved checkpoint did not notice the rollback")
	}
}

// TestAttackRollBackBesideANewerIndex: where the index was left behind, it is evidence.
func TestAttackRollBackBesideANewerIndex(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, storeOptions(dir))
	l := openLog(t, s)
	boot(t, l, 0)
	story(t, l)
	file := filepath.Join(dir, segmentOne)
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	story(t, l)
	if _, err := l.Query(t.Context(), actionlog.Query{}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if err := os.WriteFile(file, old, 0o600); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, storeOptions(dir))
	defer s.Close()
	var refused *actionlog.Refused
	if _, err := s.OpenLog(logOptions(agentID)); !errors.As(err, &refused) || !strings.Contains(err.Error(), "index has seen 33 entries and the segments hold 17") {
		t.Errorf("start: %v", err)
	}
}

// TestAttackPutSingleDatabaseBlocksBack puts blocks of an older query index back: answers are right or refused, and the
// index is built anew.
func TestAttackPutSingleDatabaseBlocksBack(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "index.db")
	s := openStore(t, storeOptions(dir))
	l := openLog(t, s)
	boot(t, l, 0)
	for range 30 {
		story(t, l)
	}
	if _, err := l.Query(t.Context(), actionlog.Query{}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s = openStore(t, storeOptions(dir))
	l = openLog(t, s)
	boot(t, l, 1)
	for range 30 {
		story(t, l)
	}
	if _, err := l.Query(t.Context(), actionlog.Query{}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	newer, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for block := 0; block+4096 <= len(old); block += 4096 {
		mixed := bytes.Clone(newer)
		copy(mixed[block:], old[block:block+4096])
		if err := os.WriteFile(file, mixed, 0o600); err != nil {
			t.Fatal(err)
		}
		answersRight(t, dir, block)
	}
}

func answersRight(t *testing.T, dir string, block int) {
	t.Helper()
	s := openStore(t, storeOptions(dir))
	defer s.Close()
	l, err := s.OpenLog(logOptions(agentID))
	if err != nil {
		t.Fatal(err)
	}
	q := actionlog.Query{Types: []string{"reply"}, Limit: 1000, Viewer: actionlog.Viewer{Owner: true}}
	var got actionlog.Page
	for range 3 { // a damaged index is built anew; ask again
		if got, err = l.Query(t.Context(), q); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatalf("block %d: %v", block, err)
	}
	for _, it := range got.Items {
		if it.Leaf.Type != "reply" || string(it.Content.Content) != "hi" {
			t.Fatalf("block %d: a wrong entry left the log: %+v", block, it.Leaf)
		}
	}
	if len(got.Items) != 240 {
		t.Fatalf("block %d: %d of 240 entries of a type, and nobody noticed", block, len(got.Items))
	}
}

// TestAttackFilteredAnswerOmitsEntries drops entries from a bundle: the counts by type show it.
func TestAttackFilteredAnswerOmitsEntries(t *testing.T) {
	s, l := storyLog(t, t.TempDir())
	defer s.Close()
	var b bytes.Buffer
	if err := l.Bundle(t.Context(), &b, actionlog.Extract{Window: tlog.Window{Types: []string{"reply"}}}); err != nil {
		t.Fatal(err)
	}
	for _, drop := range []uint64{4, 16, 33} {
		if audited(t, l, b.Bytes(), drop).OK() {
			t.Errorf("reply %d was left out and nobody noticed", drop)
		}
	}
	if report := audited(t, l, b.Bytes(), 9999); !report.OK() {
		t.Errorf("with nothing dropped: %s", failures(report))
	}
}

// audited walks a bundle, leaving out one entry.
func audited(t *testing.T, l *actionlog.Log, b []byte, drop uint64) *tlog.AuditReport {
	t.Helper()
	r, err := bundle.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	a, err := tlog.NewAuditor(tlog.AuditOptions{Origin: l.Origin(), LogKey: l.LogKey(), Kinds: r.Kinds, Window: r.Header.Query.Window})
	if err != nil {
		t.Fatal(err)
	}
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			return a.Finish(r.Checkpoint)
		}
		if err != nil {
			t.Fatal(err)
		}
		if !item.Left() && a.Size() == drop {
			item = tlog.Item{Hash: tlog.RecordHash(item.Leaf)}
		}
		item.Leaf = bytes.Clone(item.Leaf)
		if err := a.Add(item); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAttackClockLies: time never falls along the log, and a clock far behind is marked.
func TestAttackClockLies(t *testing.T) {
	now := time.UnixMicro(1_760_000_000_000_000)
	o := storeOptions(t.TempDir())
	o.Now = func() time.Time { return now }
	s := openStore(t, o)
	defer s.Close()
	l := openLog(t, s)
	boot(t, l, 0)
	now = now.Add(-24 * time.Hour)
	leaf := checkProof(t, l, appendOne(t, l, message("r", "yesterday?")), bootOf(0))
	if leaf.Time != 1_760_000_000_000_000 || !leaf.Clamped {
		t.Errorf("time %d, clamped %v", leaf.Time, leaf.Clamped)
	}
}

// TestAttackKeyTheftAfterRestart: keys of an earlier start sign nothing that counts.
func TestAttackKeyTheftAfterRestart(t *testing.T) {
	s, l := storyLog(t, t.TempDir())
	defer s.Close()
	stolen := bootOf(0)
	note, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: l.Origin(), Size: l.Size(), Root: tlog.Hash{1}}, seedKey(1), stolen.BootKey)
	if err != nil {
		t.Fatal(err)
	}
	current := bootOf(1).BootKey.Public().(ed25519.PublicKey)
	if _, err := tlog.OpenCheckpoint(note, l.Origin(), l.LogKey(), current); err == nil {
		t.Error("a checkpoint signed with the boot key of an earlier start was accepted")
	}
	leaf := &tlog.Leaf{Origin: l.Origin(), Type: "message", Index: l.Size(), Boot: 1}
	leaf.Agent, _ = tlog.ParseUUID(agentID)
	raw, err := leaf.Sign(stolen.AgentKey)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := tlog.DecodeLeaf(raw)
	if err != nil {
		t.Fatal(err)
	}
	if forged.Verify(bootOf(1).AgentKey.Public().(ed25519.PublicKey)) {
		t.Error("a leaf signed with the agent key of an earlier start was accepted")
	}
}

// TestAttackStolenLogKey: the log key alone makes no acceptable checkpoint.
func TestAttackStolenLogKey(t *testing.T) {
	s, l := storyLog(t, t.TempDir())
	defer s.Close()
	note, err := tlog.SignCheckpoint(tlog.Checkpoint{Origin: l.Origin(), Size: 99, Root: tlog.Hash{1}}, seedKey(1), seedKey(77))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tlog.OpenCheckpoint(note, l.Origin(), l.LogKey(), bootOf(1).BootKey.Public().(ed25519.PublicKey)); err == nil {
		t.Error("a checkpoint of a thief of the log key was accepted")
	}
}

// TestAttackCrashBeforeAck: a torn frame is dropped, and an intent without its result stays visible.
func TestAttackCrashBeforeAck(t *testing.T) {
	d := disktest.New()
	s := openStore(t, memoryOptions(d))
	l := openLog(t, s)
	boot(t, l, 0)
	intent := appendOne(t, l, actionlog.Entry{Type: "intent", Source: tlog.SourceGateway, Content: []byte("pay")})
	size := len(bytes.TrimRight(d.Read(segmentOne), "\x00"))
	appendOne(t, l, actionlog.Entry{Type: "result", Source: tlog.SourceGateway, Content: bytes.Repeat([]byte("paid "), 400), Cause: []uint64{intent.Index}})
	s.Close()
	raw := d.Read(segmentOne)
	clear(raw[size+600:]) // the write was cut short
	c := d.Copy()
	c.Put(segmentOne, raw)
	s = openStore(t, memoryOptions(c))
	defer s.Close()
	l = openLog(t, s)
	if l.Size() != 2 {
		t.Fatalf("size %d after a torn write, want 2", l.Size())
	}
	boot(t, l, 1)
	if report := known(t, l); len(report.OpenIntents) != 1 || report.OpenIntents[0] != intent.Index {
		t.Errorf("open intents %v", report.OpenIntents)
	}
}

// TestAttackCrashAfterAck: what was acknowledged is there, and the index comes back by itself.
func TestAttackCrashAfterAck(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, storeOptions(dir))
	l := openLog(t, s)
	boot(t, l, 0)
	story(t, l)
	s.Close()
	if err := os.Remove(filepath.Join(dir, "index.db")); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, storeOptions(dir))
	defer s.Close()
	l = openLog(t, s)
	page, err := l.Query(t.Context(), actionlog.Query{Types: []string{"reply"}, Count: true, Viewer: actionlog.Viewer{Owner: true}})
	if err != nil || page.Total != 4 || string(page.Items[3].Content.Content) != "hi" {
		t.Errorf("after the index was lost: %d replies, %v", page.Total, err)
	}
}

// TestAttackHostDropsWrites: inside one start nothing is lost from memory; the next start is older than what readers saw.
func TestAttackHostDropsWrites(t *testing.T) {
	d := disktest.New()
	s := openStore(t, memoryOptions(d))
	l := openLog(t, s)
	boot(t, l, 0)
	before := d.Copy() // the host pretends to write from here on
	p := appendOne(t, l, message("room", "lost"))
	checkProof(t, l, p, bootOf(0))
	s.Close()
	s = openStore(t, memoryOptions(before))
	defer s.Close()
	l = openLog(t, s)
	boot(t, l, 1)
	if report := known(t, l, p.Checkpoint); report.OK() {
		t.Error("a reader with the acknowledgement did not notice that it was lost")
	}
}

// TestAttackOperatorDeletesEverything: a new log begins at zero, and whoever saw the old one knows.
func TestAttackOperatorDeletesEverything(t *testing.T) {
	l, seen := older(t, func(*disktest.Disk) *disktest.Disk { return disktest.New() })
	if l.Found().Size != 0 {
		t.Fatalf("found %d entries on an empty disk", l.Found().Size)
	}
	if report := known(t, l, seen); report.OK() {
		t.Error("a reader with a saved checkpoint did not notice that the log began anew")
	}
}
