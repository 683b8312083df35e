package segment

import (
	"bytes"
	"crypto/cipher"
	"encoding/binary"
	"hash/crc32"
)

// A frame on disk: 32-byte clear header, ciphertext, 16-byte tag, 16-byte end mark; all of it a multiple of 16 bytes.
// Header: u32 length of ciphertext and tag, u64 frame number, u64 group number, u8 1 in the last frame of a group
// (else 0), 7 zero bytes, u32 CRC-32C of the 28 bytes before. The header is the first 28 bytes of the additional data, so the tag covers it too.
const (
	frameHeader = 32
	align       = 16
	endSize     = 16
	frameExtra  = frameHeader + endSize // bytes of a frame beside what its header counts
	sector      = 512
	// MaxFrame bounds the ciphertext of one frame: the largest content and some room.
	MaxFrame = 24 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type frameHead struct {
	length uint32
	number uint64
	group  uint64
	final  bool
}

func (h frameHead) append(b []byte) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint32(b, h.length)
	b = binary.BigEndian.AppendUint64(b, h.number)
	b = binary.BigEndian.AppendUint64(b, h.group)
	b = append(b, flag(h.final), 0, 0, 0, 0, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// parseFrameHead is strict: what was not written by append is not a header.
func parseFrameHead(b []byte) (frameHead, bool) {
	if len(b) < frameHeader || crc32.Checksum(b[:28], castagnoli) != binary.BigEndian.Uint32(b[28:]) {
		return frameHead{}, false
	}
	h := frameHead{binary.BigEndian.Uint32(b), binary.BigEndian.Uint64(b[4:]), binary.BigEndian.Uint64(b[12:]), b[20] == 1}
	ok := h.length >= TagSize && h.length <= MaxFrame && h.length%align == 0 && b[20] <= 1 && zero(b[21:28])
	return h, ok
}

func flag(on bool) byte {
	if on {
		return 1
	}
	return 0
}

func zero(b []byte) bool {
	for len(b) >= len(zeros) {
		if !bytes.Equal(b[:len(zeros)], zeros[:]) {
			return false
		}
		b = b[len(zeros):]
	}
	return bytes.Equal(b, zeros[:len(b)])
}

var zeros [4096]byte // never written

// additional is what a tag covers besides the payload: place, header, and the tag before it, so that frames cannot
// be moved, dropped in the middle or taken from elsewhere.
func additional(h Header, head []byte, prev []byte) []byte {
	b := make([]byte, 0, 32+8+28+TagSize)
	b = append(b, h.Origin[:]...)
	b = binary.BigEndian.AppendUint64(b, h.Number)
	b = append(b, head[:28]...)
	return append(b, prev...)
}

// seal appends one frame to dst and returns it with the frame's tag. The payload is padded with zeros behind its own
// length, so that every piece of a frame inside one disk sector has at least 16 bytes: that is what lets torn be told
// from damaged.
func seal(dst []byte, aead cipher.AEAD, h Header, f frameHead, prev, payload []byte) ([]byte, []byte) {
	plain := 4 + len(payload)
	padded := (plain + align - 1) / align * align
	head := len(dst)
	f.length = uint32(padded + TagSize)
	dst = f.append(dst)
	body := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(payload)))
	dst = append(dst, payload...)
	dst = append(dst, make([]byte, padded-plain)...)
	dst = aead.Seal(dst[:body], nonce(f.number), dst[body:], additional(h, dst[head:], prev))
	tag := dst[len(dst)-TagSize:]
	return append(dst, endMark...), tag
}

// endMark stands behind every frame. It proves nothing; its absence says that the write was cut short, wherever the cut
// fell: a write that stopped inside the tag would otherwise look like damage.
const endMark = "\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee"

// open decrypts a whole frame in place (header first) and returns its payload.
func open(aead cipher.AEAD, h Header, frame, prev []byte) ([]byte, bool) {
	head, ok := parseFrameHead(frame)
	if !ok || len(frame) != frameExtra+int(head.length) {
		return nil, false
	}
	body := frame[frameHeader : len(frame)-endSize]
	plain, err := aead.Open(body[:0], nonce(head.number), body, additional(h, frame, prev))
	if err != nil || len(plain) < 4 {
		return nil, false
	}
	n := int(binary.BigEndian.Uint32(plain))
	if n > len(plain)-4 || !zero(plain[4+n:]) || len(plain)-4-n >= align {
		return nil, false
	}
	return plain[4 : 4+n], true
}

// torn reports whether a frame that lies at offset off in the file and does not open can be a write that was cut
// short: then at least one sector still holds the zeros of the preallocation or of the hole. Ciphertext does not
// contain 16 zero bytes by chance (2^-128). A write can also stop at any byte: then the end mark is missing.
func torn(frame []byte, off int64) bool {
	if len(frame) > frameExtra && zero(frame[len(frame)-endSize:]) {
		return true
	}
	for len(frame) > 0 {
		n := min(int64(len(frame)), sector-off%sector)
		if zero(frame[:n]) {
			return true
		}
		frame, off = frame[n:], off+n
	}
	return false
}
