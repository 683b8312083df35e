// Command pack compresses one file with brotli for embedding, and leaves the output alone when it already holds these bytes.
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/andybalholm/brotli"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: pack FILE FILE.br")
		os.Exit(64)
	}
	if err := pack(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(2)
	}
}

// pack writes to beside from, so that a build that changes nothing costs only an unpacking.
func pack(from, to string) error {
	plain, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if same(plain, to) {
		return nil
	}
	var out bytes.Buffer
	w := brotli.NewWriterLevel(&out, brotli.BestCompression)
	if _, err := w.Write(plain); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := os.WriteFile(to+".new", out.Bytes(), 0o644); err != nil {
		return err
	}
	return os.Rename(to+".new", to)
}

func same(plain []byte, packed string) bool {
	raw, err := os.ReadFile(packed)
	if err != nil {
		return false
	}
	old, err := io.ReadAll(brotli.NewReader(bytes.NewReader(raw)))
	return err == nil && bytes.Equal(old, plain)
}
