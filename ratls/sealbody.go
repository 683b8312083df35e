package ratls

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Chunk limits: EHBP frames each sealed chunk with its length, u32 big endian. The npm client seals a body as one chunk.
const (
	maxChunk  = 16<<20 + 16 // sealed bytes
	sealChunk = 64 << 10    // plaintext bytes per chunk that we make
	respNonce = 32

	largeChunk  = 256 << 10 // sealed bytes from which a server reads few chunks at a time
	largeChunks = 4         // so many: a chunk must be whole before anything of it can be believed, and anybody may send one
)

var errSealed = errors.New("a sealed chunk does not open")

// chunkReader opens a stream of sealed chunks. open is called in order.
type chunkReader struct {
	r     io.Reader
	open  func(sealed []byte) ([]byte, error)
	rest  []byte
	ended bool // the empty chunk that ends our own streams was seen

	mustEnd bool // a stream without that chunk was cut

	large chan struct{}   // a place per large chunk in memory; nil: as many as come
	gone  <-chan struct{} // who sends it does not wait any more
}

func (c *chunkReader) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// next opens one chunk; io.EOF only at a chunk's border.
func (c *chunkReader) next() error {
	if c.ended {
		return c.expectEnd()
	}
	var size [4]byte
	if _, err := io.ReadFull(c.r, size[:]); err != nil {
		if c.mustEnd && errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		return err // io.EOF at the border, io.ErrUnexpectedEOF inside
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < 16 || n > maxChunk {
		return fmt.Errorf("a sealed chunk of %d bytes", n)
	}
	if n > largeChunk && c.large != nil {
		select {
		case c.large <- struct{}{}:
			defer func() { <-c.large }()
		case <-c.gone:
			return io.ErrUnexpectedEOF
		}
	}
	sealed, err := io.ReadAll(io.LimitReader(c.r, int64(n)))
	if err != nil {
		return err
	}
	if len(sealed) < int(n) {
		return io.ErrUnexpectedEOF
	}
	c.rest, err = c.open(sealed)
	if err != nil {
		return errSealed
	}
	c.ended = len(c.rest) == 0
	return nil
}

func (c *chunkReader) expectEnd() error {
	var one [1]byte
	if n, err := io.ReadFull(c.r, one[:]); n == 0 && errors.Is(err, io.EOF) {
		return io.EOF
	}
	return errors.New("bytes after the end of a sealed body")
}

func appendChunk(b, sealed []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(sealed))), sealed...)
}

// responseKey is EHBP's response protection (after RFC 9458 section 4.4): AES-256-GCM under a key derived from the
// request's HPKE context, the encapsulated key and a nonce of the response; the chunk number is xored into the GCM nonce.
type responseKey struct {
	aead cipher.AEAD
	base []byte
	seq  uint64
}

func newResponseKey(exported, enc, nonce []byte) (*responseKey, error) {
	salt := append(append([]byte(nil), enc...), nonce...)
	prk, err := hkdf.Extract(sha256.New, exported, salt)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Expand(sha256.New, prk, "key", 32)
	if err != nil {
		return nil, err
	}
	base, err := hkdf.Expand(sha256.New, prk, "nonce", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &responseKey{aead: aead, base: base}, err
}

func (k *responseKey) nonce() []byte {
	n := append([]byte(nil), k.base...)
	var seq [8]byte
	binary.BigEndian.PutUint64(seq[:], k.seq)
	for i, b := range seq {
		n[4+i] ^= b
	}
	k.seq++
	return n
}

func (k *responseKey) seal(plain []byte) []byte { return k.aead.Seal(nil, k.nonce(), plain, nil) }

func (k *responseKey) open(sealed []byte) ([]byte, error) {
	return k.aead.Open(nil, k.nonce(), sealed, nil)
}
