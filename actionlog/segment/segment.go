// Package segment is the on-disk truth of the action log: encrypted, chained frames in numbered files, and the one
// small file per segment that may change, its content keys. docs/formats/segment.md has the bytes.
//
// It trusts the storage key and the memory of this process. It does not trust the disk: a frame that was written
// whole and does not open is damage and an error; only a frame that can be told to be the torn, never acknowledged
// end of the last write is dropped. What it cannot see is a disk put back whole to an older state: that is the
// witnesses' and the readers' part.
package segment

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	magic      = "TEAPOT-SEGMENT\x00\x01"
	HeaderSize = 192
	TagSize    = 16
	// Limit is the size at which a segment is closed and the next one opened.
	Limit = 64 << 20
)

// Header opens a segment file. The frame key is derived from it, so a start or segment number used twice (after the
// host put an old disk back) still gets a key of its own: Boot is random.
type Header struct {
	Origin [32]byte      // SHA-256(origin line of the log)
	Number uint64        // from 1, without gaps
	Boot   [16]byte      // random, one per start
	First  uint64        // index of the segment's first entry
	Root   [32]byte      // root of the tree of First entries
	Prev   [TagSize]byte // tag of the last frame before this segment; zero for segment 1
}

// Fault is damage or something that does not belong here, with words for the operator.
type Fault struct {
	What string // what was found
	Next string // what to do
}

func (f *Fault) Error() string { return f.What + ": " + f.Next }

// Keys are derived from the log's storage key; the storage key itself is never used directly.
type Keys struct{ storage [32]byte }

// NewKeys takes the 32-byte storage key of one log.
func NewKeys(storage [32]byte) Keys { return Keys{storage} }

func (k Keys) derive(label string, context ...[]byte) []byte {
	info := append([]byte(label), bytes.Join(context, nil)...)
	out, err := hkdf.Key(sha256.New, k.storage[:], nil, string(info), 32)
	if err != nil {
		panic("internal: hkdf of 32 bytes: " + err.Error())
	}
	return out
}

// Derive gives a 32-byte key for another use inside the log; labels are listed in docs/formats/segment.md.
func (k Keys) Derive(label string, context ...[]byte) [32]byte {
	return [32]byte(k.derive(label, context...))
}

func (k Keys) frame(h Header) cipher.AEAD {
	return newGCM(k.derive("teapot/frame/v1", h.Origin[:], h.Boot[:], be64(h.Number)))
}

func newGCM(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("internal: AES with a 32-byte key: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("internal: GCM over AES: " + err.Error())
	}
	return aead
}

func be64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func nonce(n uint64) []byte { return binary.BigEndian.AppendUint64(make([]byte, 4, 12), n) }

// keyID names the storage key without telling anything about it: a wrong key is told apart from damage.
func (k Keys) keyID() []byte { return k.derive("teapot/segment/key-id/v1")[:16] }

func (k Keys) headerMAC(fields []byte) []byte {
	mac := hmac.New(sha256.New, k.derive("teapot/segment/header/v1"))
	mac.Write(fields)
	return mac.Sum(nil)
}

// marshal gives the HeaderSize bytes: magic, fields big endian, zeros, key id, MAC.
func (h Header) marshal(k Keys) []byte {
	b := append([]byte(magic), h.Origin[:]...)
	b = binary.BigEndian.AppendUint64(b, h.Number)
	b = append(b, h.Boot[:]...)
	b = binary.BigEndian.AppendUint64(b, h.First)
	b = append(b, h.Root[:]...)
	b = append(b, h.Prev[:]...)
	b = append(b, k.keyID()...)
	b = append(b, make([]byte, HeaderSize-32-len(b))...)
	return append(b, k.headerMAC(b)...)
}

var errUnwritten = errors.New("segment header was never written")

// parseHeader checks a header against the log it should belong to.
func parseHeader(b []byte, k Keys, want Header) (Header, error) {
	if len(bytes.Trim(b, "\x00")) == 0 {
		return Header{}, errUnwritten
	}
	name := "segment " + Name(want.Number)
	if len(b) != HeaderSize || string(b[:16]) != magic {
		return Header{}, &Fault{name + " does not begin like a Teapot segment", restore}
	}
	var h Header
	copy(h.Origin[:], b[16:48])
	h.Number = binary.BigEndian.Uint64(b[48:])
	copy(h.Boot[:], b[56:72])
	h.First = binary.BigEndian.Uint64(b[72:])
	copy(h.Root[:], b[80:112])
	copy(h.Prev[:], b[112:128])
	switch {
	case h.Origin != want.Origin:
		return h, &Fault{
			fmt.Sprintf("%s belongs to another log (origin hash %x, this log's is %x)", name, h.Origin[:8], want.Origin[:8]),
			"the agent's id or the platform's key changed, or the file was copied from elsewhere; start with the platform and agent that wrote it, or put the right directory back",
		}
	case !hmac.Equal(b[128:144], k.keyID()):
		return h, &Fault{
			name + " was written under another storage key",
			"the platform derives other keys than at the last start (other app id, image signer, seed or KMS); start where the log was written",
		}
	case !hmac.Equal(b[HeaderSize-32:], k.headerMAC(b[:HeaderSize-32])):
		return h, &Fault{name + " has a damaged header", restore}
	case h.Number != want.Number:
		return h, &Fault{
			fmt.Sprintf("the file of segment %d holds segment %d", want.Number, h.Number),
			"a file was renamed or copied over another; put the right files back",
		}
	}
	return h, nil
}

const restore = "the disk was changed or is failing; put the files of this log back as they were (a copy from elsewhere), nothing was signed over the damage"
