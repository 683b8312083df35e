//go:build unix

package server

import "syscall"

// openFiles is how many files this process may hold open; 0 where the system does not say.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return limit.Cur
}
