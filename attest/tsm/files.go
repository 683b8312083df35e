package tsm

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/go-configfs-tsm/configfs/configfsi"
)

// files is configfs-tsm below another directory than /sys/kernel/config/tsm, the only one that the library knows.
type files struct{ dir string }

func (f files) at(name string) string {
	return filepath.Join(f.dir, strings.TrimPrefix(name, configfsi.TsmPrefix))
}

// MkdirTemp makes the directory of a request; the kernel fills it with attributes.
func (f files) MkdirTemp(dir, pattern string) (string, error) {
	path, err := os.MkdirTemp(f.at(dir), pattern)
	return filepath.Join(configfsi.TsmPrefix, strings.TrimPrefix(path, f.dir)), err
}

// ReadFile reads an attribute.
func (f files) ReadFile(name string) ([]byte, error) { return os.ReadFile(f.at(name)) }

// ReadDir lists a directory.
func (f files) ReadDir(name string) ([]os.DirEntry, error) { return os.ReadDir(f.at(name)) }

// WriteFile writes an attribute in one write; it must be there.
func (f files) WriteFile(name string, contents []byte) error {
	file, err := os.OpenFile(f.at(name), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(contents)
	return errors.Join(err, file.Close())
}

// RemoveAll removes a request. configfs wants rmdir although attributes are inside, every other file system wants the files gone first.
func (f files) RemoveAll(name string) error {
	err := os.Remove(f.at(name))
	if errors.Is(err, syscall.ENOTEMPTY) {
		return os.RemoveAll(f.at(name))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

var _ configfsi.Client = files{}
