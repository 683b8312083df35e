//go:build !linux

package disk

import (
	"os"
	"runtime"
)

// Sync: package os asks macOS for F_FULLFSYNC, which reaches the medium, and Windows for FlushFileBuffers.
func (f osFile) Sync() error { return f.File.Sync() }

// syncDir: Windows gives no handle with which a directory could be flushed; its file systems journal names themselves.
func syncDir(d *os.File) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	return d.Sync()
}
