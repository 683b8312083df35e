package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAPortInUseLeavesNothingBehind: the address is taken before anything is written.
func TestAPortInUseLeavesNothingBehind(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("TEAPOT_PLATFORM", "simulator")
	data := filepath.Join(t.TempDir(), "data")
	var stderr bytes.Buffer
	code := execute(t.Context(), []string{"serve", "--addr", l.Addr().String(), "--data", data}, io.Discard, &stderr)
	if _, err := os.Stat(data); code != 2 || !strings.Contains(stderr.String(), "--addr") || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("exit %d, %v\n%s", code, err, stderr.String())
	}
}
