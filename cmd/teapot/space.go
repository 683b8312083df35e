package main

import "syscall"

// reserve is what strangers may not fill, in bytes: a log that cannot write stops the process.
const reserve = 256 << 20

// almostFull says whether the disk under dir has less left than the reserve, or than a twentieth of a small disk. A disk that
// cannot be asked is not full.
func almostFull(dir string) bool {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil {
		return false
	}
	size := uint64(fs.Bsize)
	return fs.Bavail*size < min(reserve, fs.Blocks*size/20)
}
