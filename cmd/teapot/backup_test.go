package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/teapot-tee/teapot/actionlog/disk"
)

func TestBackupAndRestore(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(filepath.Join(data, "log", "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "log", "store.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "b.tar")
	if n, err := backup(data, file); err != nil || n != 1 {
		t.Fatalf("%d files, %v", n, err)
	}
	if _, err := backup(data, file); err == nil {
		t.Error("a backup was overwritten")
	}
	to := filepath.Join(t.TempDir(), "restored")
	if n, err := restore(file, to); err != nil || n != 1 {
		t.Fatalf("%d files, %v", n, err)
	}
	if b, err := os.ReadFile(filepath.Join(to, "log", "store.json")); err != nil || string(b) != "{}" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := restore(file, to); err == nil {
		t.Error("restored over existing data")
	}
}

func TestRunningAgentIsNotBackedUp(t *testing.T) {
	data := t.TempDir()
	fs, err := disk.OpenOS(filepath.Join(data, "log"))
	if err != nil {
		t.Fatal(err)
	}
	lock, err := fs.Lock("LOCK")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if _, err := backup(data, filepath.Join(t.TempDir(), "b.tar")); err == nil {
		t.Error("a directory in use was copied")
	}
}

func TestWhatIsNoDataDirectoryIsNotBackedUp(t *testing.T) {
	data := filepath.Join(t.TempDir(), "nothere")
	if _, err := backup(data, filepath.Join(t.TempDir(), "b.tar")); err == nil {
		t.Error("nothing was copied and nobody was told")
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("the directory was made")
	}
}
