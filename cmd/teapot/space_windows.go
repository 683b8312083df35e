package main

import "golang.org/x/sys/windows"

// space asks the file system under a path for the bytes that are free to us, and for its size.
func space(path string) (free, size uint64, ok bool) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil || windows.GetDiskFreeSpaceEx(name, &free, &size, nil) != nil {
		return 0, 0, false
	}
	return free, size, true
}
