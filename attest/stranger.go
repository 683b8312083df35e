package attest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// StrangeDataError says that a directory without a platform record is not a new data directory.
type StrangeDataError struct {
	Path string
	Name string // what lies there
	Log  bool   // it is a log, whose record is lost
}

func (e *StrangeDataError) Error() string {
	if e.Log {
		return fmt.Sprintf("%s holds a log but no %s, so nobody knows which platform and keys it belongs to: put that file back (it is in every backup), or choose another --data directory",
			e.Path, RecordName)
	}
	return fmt.Sprintf("%s is no data directory of Teapot: %q lies there and %s does not; choose an empty or new directory with --data",
		e.Path, e.Name, RecordName)
}

// checkNew refuses a directory that has no record although it is in use: by a log, whose platform would be chosen anew, or
// by something else than Teapot.
func checkNew(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking into the data directory: %w", err)
	}
	for _, e := range entries {
		switch {
		case e.Name() == "log" && e.IsDir():
			if _, err := os.Stat(filepath.Join(dir, "log", "store.json")); err == nil {
				return &StrangeDataError{Path: dir, Name: "log", Log: true}
			}
		case !mayPrecede(e):
			return &StrangeDataError{Path: dir, Name: e.Name()}
		}
	}
	return nil
}

// mayPrecede reports whether an entry may lie in a directory before its first start: what commands of Teapot put there, what
// a volume comes with, and what operators lay beside the data (characters, configuration, a file for the output).
func mayPrecede(e fs.DirEntry) bool {
	name := e.Name()
	if strings.HasPrefix(name, ".") || e.Type()&(fs.ModeSocket|fs.ModeNamedPipe) != 0 {
		return true
	}
	if e.IsDir() {
		return slices.Contains([]string{"memory", "collateral", "simulated", "characters", "lost+found"}, name)
	}
	return name == "token" || slices.Contains([]string{".json", ".toml", ".yaml", ".pem", ".log", ".out", ".err", ".pid"}, filepath.Ext(name))
}
