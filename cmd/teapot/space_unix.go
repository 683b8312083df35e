//go:build unix

package main

import "syscall"

// space asks the file system under a path for the bytes that are free to us, and for its size.
func space(path string) (free, size uint64, ok bool) {
	var fs syscall.Statfs_t
	if syscall.Statfs(path, &fs) != nil {
		return 0, 0, false
	}
	block := uint64(fs.Bsize)
	return fs.Bavail * block, fs.Blocks * block, true
}
