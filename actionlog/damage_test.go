package actionlog_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/actionlog/disk/disktest"
)

// lived returns a disk after some starts, and what was acknowledged on it.
func lived(t *testing.T, starts int) (*disktest.Disk, *witness) {
	t.Helper()
	d, w := disktest.New(), newWitness()
	for range starts {
		if err := w.live(d); err != nil {
			t.Fatal(err)
		}
	}
	return d, w
}

// TestBitFlips flips one bit at a time in every file, everywhere in what is in use and here and there in the rest. The
// start is refused with a reason, or everything acknowledged is there.
func TestBitFlips(t *testing.T) {
	d, w := lived(t, 2)
	r := rand.New(rand.NewPCG(3, 4))
	refused, fine := 0, 0
	for _, name := range d.Files() {
		whole := d.Read(name)
		used := len(strings.TrimRight(string(whole), "\x00"))
		step := max(1, used/scale(40))
		for at := r.IntN(step); at < used; at += step {
			opened := w.flipped(t, d, name, whole, at, r)
			if opened {
				fine++
			} else {
				refused++
			}
		}
		for range 5 {
			if used < len(whole) {
				w.flipped(t, d, name, whole, used+r.IntN(len(whole)-used), r)
			}
		}
	}
	t.Logf("%d starts refused, %d unharmed", refused, fine)
	if refused == 0 {
		t.Error("no flipped bit was ever noticed")
	}
}

func (w *witness) flipped(t *testing.T, d *disktest.Disk, name string, whole []byte, at int, r *rand.Rand) bool {
	t.Helper()
	bad := slices.Clone(whole)
	bad[at] ^= 1 << r.IntN(8)
	c := d.Copy()
	c.Put(name, bad)
	return w.reopened(t, c, true)
}

// TestOldFilesPutBack puts every file of an earlier moment back, one at a time, and takes every file away.
func TestOldFilesPutBack(t *testing.T) {
	d, w := disktest.New(), newWitness()
	var moments []*disktest.Disk
	for range 4 {
		if err := w.live(d); err != nil {
			t.Fatal(err)
		}
		moments = append(moments, d.Copy())
	}
	for m, old := range moments[:3] {
		for _, name := range old.Files() {
			if string(old.Read(name)) == string(d.Read(name)) {
				continue
			}
			c := d.Copy()
			c.Put(name, old.Read(name))
			opened := w.reopened(t, c, true)
			t.Logf("%s of start %d put back: opened %v", name, m+1, opened)
		}
	}
	last := lastSegment(d)
	for _, name := range d.Files() {
		if strings.HasPrefix(name, "index.") || name == last { // without its last segment the log is whole but older: for witnesses
			continue
		}
		c := d.Copy()
		c.Put(name, nil)
		if w.reopened(t, c, true) {
			t.Errorf("%s is missing and nobody noticed", name)
		}
	}
}

func lastSegment(d *disktest.Disk) (last string) {
	for _, name := range d.Files() {
		if strings.HasSuffix(name, ".segment") {
			last = name
		}
	}
	return last
}

// TestSwappedFiles puts each file in the place of each other of its kind.
func TestSwappedFiles(t *testing.T) {
	d, w := lived(t, 3)
	for _, a := range d.Files() {
		for _, b := range d.Files() {
			if a == b || filepath.Ext(a) != filepath.Ext(b) || filepath.Ext(a) == "" {
				continue
			}
			c := d.Copy()
			c.Put(a, d.Read(b))
			c.Put(b, d.Read(a))
			if w.reopened(t, c, true) {
				t.Errorf("%s and %s were swapped and nobody noticed", a, b)
			}
		}
	}
}

// TestRefusedStarts: every refusal says what is wrong and what to do.
func TestRefusedStarts(t *testing.T) {
	dir := t.TempDir()
	s, _ := storyLog(t, dir)
	s.Close()
	open := func(o actionlog.Options, lo actionlog.LogOptions) error {
		s, err := actionlog.Open(o)
		if err != nil {
			return err
		}
		defer s.Close()
		_, err = s.OpenLog(lo)
		return err
	}
	other := func(change func(*actionlog.LogOptions)) actionlog.LogOptions {
		o := logOptions(agentID)
		change(&o)
		return o
	}
	elsewhere := storeOptions(dir)
	elsewhere.Platform = "dstack-tdx"
	for name, c := range map[string]struct {
		o    actionlog.Options
		lo   actionlog.LogOptions
		want string
	}{
		"another platform":    {elsewhere, logOptions(agentID), `made on platform "simulator"`},
		"another storage key": {storeOptions(dir), other(func(o *actionlog.LogOptions) { o.StorageKey[9] = 1 }), "another storage key"},
		"another log key":     {storeOptions(dir), other(func(o *actionlog.LogOptions) { o.LogKey = seedKey(99) }), "belongs to another log"},
	} {
		err := open(c.o, c.lo)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s = openStore(t, storeOptions(dir))
	if _, err := actionlog.Open(storeOptions(dir)); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second process: %v", err)
	}
	openLog(t, s)
	if _, err := s.OpenLog(logOptions(agentID)); err == nil || !strings.Contains(err.Error(), "two agents with one id") {
		t.Errorf("the same agent twice: %v", err)
	}
	s.Close()
	file := filepath.Join(dir, "logs", agentID+"-0", "notes.txt")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(storeOptions(dir), logOptions(agentID)); err == nil || !strings.Contains(err.Error(), "not a file of this log") {
		t.Errorf("a foreign file: %v", err)
	}
	os.Remove(file)
	if err := os.Remove(filepath.Join(dir, "store.json")); err != nil {
		t.Fatal(err)
	}
	if err := open(storeOptions(dir), logOptions(agentID)); err == nil || !strings.Contains(err.Error(), "no store.json") {
		t.Errorf("no store.json: %v", err)
	}
}
