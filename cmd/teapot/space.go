package main

// reserve is what strangers may not fill, in bytes: a log that cannot write stops the process.
const reserve = 256 << 20

// almostFull says whether the disk under dir has less left than the reserve, or than a twentieth of a small disk. A disk that
// cannot be asked is not full.
func almostFull(dir string) bool {
	free, size, ok := space(dir)
	return ok && free < min(reserve, size/20)
}
