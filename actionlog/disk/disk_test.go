package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func open(t *testing.T, dir string) *OS {
	t.Helper()
	o, err := OpenOS(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

func TestLockKeepsOthersOut(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	lock, err := a.Lock("LOCK")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Lock("LOCK"); !errors.Is(err, ErrLocked) {
		t.Errorf("second lock: %v", err)
	}
	lock.Close()
	again, err := b.Lock("LOCK")
	if err != nil {
		t.Fatalf("after the first was given back: %v", err)
	}
	again.Close()
}

func TestReplaceIsWhole(t *testing.T) {
	dir := t.TempDir()
	o := open(t, dir)
	for _, text := range []string{"one", "a longer one", ""} {
		if err := Replace(o, ".", "file", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadFile(o, "file", 100); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "file.new"), []byte("left by a crash"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Replace(o, ".", "file", []byte("after")); err != nil {
		t.Errorf("with a file left by a crash: %v", err)
	}
	if _, err := ReadFile(o, "file", 3); err == nil {
		t.Error("a file above its limit was read")
	}
}

func TestNamesStayInside(t *testing.T) {
	o := open(t, filepath.Join(t.TempDir(), "root"))
	if _, err := o.Create("../outside"); err == nil {
		t.Error("a file outside the root was made")
	}
	if _, err := o.Open("missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if names, err := o.ReadDir("missing"); err != nil || names != nil {
		t.Errorf("a missing directory: %v, %v", names, err)
	}
	f, err := o.Create("a")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := o.Create("a"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file made twice: %v", err)
	}
	info, err := os.Stat(filepath.Join(filepath.Dir(o.root.Name()), "root", "a"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
