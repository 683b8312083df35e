package gramine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/teapot-tee/teapot/attest"
)

// Layout of an SGX quote, version 3 (Intel SGX ECDSA QuoteLibReference, appendix A.4): header, report body, length of the rest.
const (
	headerSize       = 48
	bodySize         = 384
	reportDataOffset = headerSize + 320
	signedSize       = headerSize + bodySize
	maxQuote         = 8192 // Gramine's own limit
)

// foreignWrites is how often a quote over somebody else's report data is made again.
const foreignWrites = 3

// Quote writes the report data and reads the quote, under one lock. Other code in the process may still write the same file in
// between; that shows in the quote, and then the quote is made again.
func (e *Enclave) Quote(ctx context.Context, reportData [64]byte) (attest.Quote, error) {
	e.quoting.Lock()
	defer e.quoting.Unlock()
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return attest.Quote{}, err
		}
		raw, err := e.quoteOnce(reportData)
		if err != nil {
			return attest.Quote{}, fmt.Errorf("gramine: %w", err)
		}
		if got := [64]byte(raw[reportDataOffset:signedSize]); got == reportData {
			return attest.Quote{Raw: raw}, nil
		} else if n == foreignWrites {
			return attest.Quote{}, fmt.Errorf("gramine: %d quotes in a row carry other report data (%x): other code in this process writes %s/user_report_data",
				n, got, e.dir)
		}
	}
}

func (e *Enclave) quoteOnce(reportData [64]byte) ([]byte, error) {
	if err := writeOnce(filepath.Join(e.dir, "user_report_data"), reportData[:]); err != nil {
		return nil, fmt.Errorf("writing the report data: %w", err)
	}
	f, err := os.Open(filepath.Join(e.dir, "quote")) // opening it makes the quote
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("making a quote: %w: the host's AESM service is not running, or the machine has no PCK certificate", err)
	}
	if err != nil {
		return nil, fmt.Errorf("making a quote: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, 2*maxQuote))
	if err != nil {
		return nil, fmt.Errorf("reading the quote: %w", err)
	}
	return trim(raw)
}

// writeOnce replaces the whole value: the pseudo-file takes one write as one value. No O_CREATE: it must be there.
func writeOnce(path string, value []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(value)
	return errors.Join(err, f.Close())
}

// trim cuts the quote to the length that it states itself: 48 + 384 + 4 + u32. What follows must be zeros. Never cut at zero bytes:
// eight of 26 real quotes lose their certificates that way.
func trim(raw []byte) ([]byte, error) {
	if len(raw) < signedSize+4 {
		return nil, fmt.Errorf("quote of %d bytes is too short", len(raw))
	}
	size := uint64(signedSize) + 4 + uint64(binary.LittleEndian.Uint32(raw[signedSize:]))
	if size > uint64(len(raw)) || size > maxQuote {
		return nil, fmt.Errorf("quote of %d bytes says that it has %d", len(raw), size)
	}
	for _, b := range raw[size:] {
		if b != 0 {
			return nil, fmt.Errorf("%d bytes after the quote", uint64(len(raw))-size)
		}
	}
	return raw[:size], nil
}
