package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// copyData keeps the data directory as it is now.
func (s *stage) copyData(name string) string {
	to := filepath.Join(s.dir, name)
	s.run("cp", "-a", s.data, to)
	return to
}

// restore puts a kept directory in the place of the data directory.
func (s *stage) restore(from string) {
	if err := os.RemoveAll(s.data); err != nil {
		s.fatal(err)
	}
	s.run("cp", "-a", from, s.data)
}

func (s *stage) run(name string, args ...string) {
	if err := exec.Command(name, args...).Run(); err != nil {
		s.fatal(err)
	}
}

// segments lists the log's segment files, oldest first.
func (s *stage) segments() []string {
	var files []string
	err := filepath.WalkDir(filepath.Join(s.data, "log"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".segment") {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		s.fatal(err)
	}
	sort.Strings(files)
	return files
}

// edit changes one byte inside the first segment's frames.
func (s *stage) edit() {
	path := s.segments()[0]
	b, err := os.ReadFile(path)
	if err != nil {
		s.fatal(err)
	}
	b[200] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		s.fatal(err)
	}
}

func (s *stage) deleteSegment() {
	if err := os.Remove(s.segments()[0]); err != nil {
		s.fatal(err)
	}
}
