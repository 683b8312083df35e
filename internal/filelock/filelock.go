// Package filelock keeps two processes out of one file, on every system that readers verify on.
//
// It trusts the operating system's locks, which are advisory: they keep Teapots apart, not attackers.
package filelock

import (
	"errors"
	"os"
)

// ErrLocked says that somebody else holds the lock.
var ErrLocked = errors.New("locked by another process")

// Try takes the exclusive lock of an open file, or fails at once with ErrLocked. Closing the file gives it back.
func Try(f *os.File) error { return lock(f, false) }

// Wait takes the exclusive lock of an open file as soon as it is free. Closing the file gives it back.
func Wait(f *os.File) error { return lock(f, true) }
