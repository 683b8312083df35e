//go:build !unix && !windows

package filelock

import (
	"errors"
	"os"
)

// lock: a browser has neither files nor other processes.
func lock(*os.File, bool) error { return errors.ErrUnsupported }
