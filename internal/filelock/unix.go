//go:build unix

package filelock

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lock uses flock, which also keeps out a second opener in this process. Gramine has no flock and each of its
// processes has its own world, so there a POSIX lock stands in (facts/gramine.md section 12).
func lock(f *os.File, wait bool) error {
	how, command := unix.LOCK_EX|unix.LOCK_NB, unix.F_SETLK
	if wait {
		how, command = unix.LOCK_EX, unix.F_SETLKW
	}
	err := again(func() error { return unix.Flock(int(f.Fd()), how) })
	if errors.Is(err, unix.ENOSYS) {
		err = again(func() error { return unix.FcntlFlock(f.Fd(), command, &unix.Flock_t{Type: unix.F_WRLCK}) })
	}
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EACCES) {
		return ErrLocked
	}
	return err
}

// again repeats a call that a signal interrupted.
func again(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
