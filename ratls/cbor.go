package ratls

import (
	"encoding/binary"
	"errors"
)

// cborReader reads the few shapes of RA-TLS evidence from foreign bytes: definite lengths, shortest heads, nothing else.
type cborReader struct {
	b   []byte
	err error
}

func (r *cborReader) fail(text string) {
	if r.err == nil {
		r.err = errors.New(text)
	}
	r.b = nil
}

func (r *cborReader) take(n uint64) []byte {
	if r.err != nil || n > uint64(len(r.b)) {
		r.fail("cut short")
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

// head reads one head of the wanted major type and returns its argument.
func (r *cborReader) head(major byte) uint64 {
	first := r.take(1)
	if r.err != nil {
		return 0
	}
	if first[0]&0xe0 != major {
		r.fail("another CBOR type than expected")
		return 0
	}
	return r.argument(first[0] & 0x1f)
}

func (r *cborReader) argument(info byte) uint64 {
	if info < 24 {
		return uint64(info)
	}
	if info > 26 {
		r.fail("a CBOR length of a form not used here")
		return 0
	}
	raw := r.take(1 << (info - 24))
	if r.err != nil {
		return 0
	}
	var wide [8]byte
	copy(wide[8-len(raw):], raw)
	n := binary.BigEndian.Uint64(wide[:])
	if n < 24 || info == 25 && n < 1<<8 || info == 26 && n < 1<<16 {
		r.fail("a CBOR length that is not the shortest")
		return 0
	}
	return n
}

func (r *cborReader) expect(major byte, want uint64) {
	if got := r.head(major); r.err == nil && got != want {
		r.fail("another CBOR value than expected")
	}
}

func (r *cborReader) bytes(major byte) []byte { return r.take(r.head(major)) }

func (r *cborReader) end() error {
	if r.err == nil && len(r.b) > 0 {
		r.fail("bytes after the end")
	}
	return r.err
}
