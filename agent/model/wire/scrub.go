package wire

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// shortKey is the length below which a key is no secret, and would be found in ordinary words.
const shortKey = 8

// withoutKey reads an answer with the caller's key, should the provider quote it, replaced by ***. Services do so in their errors, and an
// error is written into the log.
func withoutKey(r io.Reader, header http.Header) io.Reader {
	for _, name := range []string{"Authorization", "X-Api-Key", "Api-Key"} {
		key := strings.TrimPrefix(header.Get(name), "Bearer ")
		if len(key) >= shortKey {
			r = &scrubber{from: r, key: []byte(key)}
		}
	}
	return r
}

// scrubber holds back only what may be the beginning of a key.
type scrubber struct {
	from io.Reader
	key  []byte
	held []byte // read and not yet judged
	out  []byte // judged and not yet handed on
	err  error  // what from ended with
}

// Read implements io.Reader.
func (s *scrubber) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(s.out) == 0 && s.err == nil {
		s.fill(len(p))
	}
	n := copy(p, s.out)
	s.out = s.out[n:]
	if len(s.out) == 0 && n == 0 {
		return 0, s.err
	}
	return n, nil
}

func (s *scrubber) fill(size int) {
	chunk := make([]byte, size)
	n, err := s.from.Read(chunk)
	s.held = bytes.ReplaceAll(append(s.held, chunk[:n]...), s.key, []byte("***"))
	keep := beginning(s.held, s.key)
	if err != nil {
		keep, s.err = 0, err
	}
	s.out = s.held[:len(s.held)-keep]
	s.held = bytes.Clone(s.held[len(s.held)-keep:])
}

// beginning is the length of the longest end of b that begins key.
func beginning(b, key []byte) int {
	for n := min(len(b), len(key)-1); n > 0; n-- {
		if bytes.HasPrefix(key, b[len(b)-n:]) {
			return n
		}
	}
	return 0
}
