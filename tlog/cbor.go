package tlog

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// The part of deterministic CBOR (RFC 8949 §4.2.1) that our fixed shapes need: unsigned integers, byte and text strings, array
// and map heads, true, false, null. Everything is in the shortest form; a reader refuses any other.
const (
	majorUint  = 0 << 5
	majorBytes = 2 << 5
	majorText  = 3 << 5
	majorArray = 4 << 5
	majorMap   = 5 << 5
	cborFalse  = 0xf4
	cborTrue   = 0xf5
	cborNull   = 0xf6
)

func appendHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= 0xff:
		return append(b, major|24, byte(n))
	case n <= 0xffff:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n <= 0xffffffff:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), n)
}

func appendUint(b []byte, n uint64) []byte { return appendHead(b, majorUint, n) }

func appendText(b []byte, s string) []byte {
	return append(appendHead(b, majorText, uint64(len(s))), s...)
}

func appendBytes(b, v []byte) []byte { return append(appendHead(b, majorBytes, uint64(len(v))), v...) }

// cursor reads deterministic CBOR. The first failure sticks: later reads return zero values and err stays.
type cursor struct {
	what  string // the thing being read, for errors
	field string // the field being read, for errors
	b     []byte
	off   int
	err   error
}

func (c *cursor) fail(format string, args ...any) {
	if c.err != nil {
		return
	}
	where := fmt.Sprintf("%s: byte %d", c.what, c.off)
	if c.field != "" {
		where += " (" + c.field + ")"
	}
	c.err = fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...))
}

// raw returns the next n bytes.
func (c *cursor) raw(n uint64) []byte {
	if c.err != nil {
		return nil
	}
	if n > uint64(len(c.b)-c.off) {
		c.fail("cut short")
		return nil
	}
	v := c.b[c.off : c.off+int(n)]
	c.off += int(n)
	return v
}

// literal consumes exactly want.
func (c *cursor) literal(want string) {
	if got := c.raw(uint64(len(want))); c.err == nil && string(got) != want {
		c.off -= len(want)
		c.fail("not the fixed bytes of this format")
	}
}

func (c *cursor) peek() byte {
	if c.err != nil || c.off >= len(c.b) {
		return 0xff // "break": no field of ours begins with it
	}
	return c.b[c.off]
}

// head reads the head of an item of the given major type and returns its argument.
func (c *cursor) head(major byte) uint64 {
	if c.err != nil {
		return 0
	}
	if c.off >= len(c.b) {
		c.fail("cut short")
		return 0
	}
	first := c.b[c.off]
	if first&0xe0 != major {
		c.fail("CBOR type %d where %d belongs", first>>5, major>>5)
		return 0
	}
	c.off++
	short := first & 0x1f
	if short < 24 {
		return uint64(short)
	}
	if short > 27 {
		c.fail("indefinite length or reserved head")
		return 0
	}
	width := 1 << (short - 24)
	var n uint64
	for _, x := range c.raw(uint64(width)) {
		n = n<<8 | uint64(x)
	}
	if c.err == nil && n < shortestFloor(width) {
		c.fail("not the shortest form")
	}
	return n
}

// shortestFloor is the least value whose argument needs width bytes.
func shortestFloor(width int) uint64 {
	if width == 1 {
		return 24
	}
	return 1 << (4 * width)
}

// uint reads an unsigned integer of at most limit.
func (c *cursor) uint(limit uint64) uint64 {
	n := c.head(majorUint)
	if n > limit {
		c.fail("%d is above the limit %d", n, limit)
	}
	return n
}

func (c *cursor) bool() bool {
	switch b := c.raw(1); {
	case c.err != nil:
		return false
	case b[0] == cborTrue:
		return true
	case b[0] != cborFalse:
		c.fail("want true or false")
	}
	return false
}

// null consumes a null and says whether there was one.
func (c *cursor) null() bool {
	if c.peek() != cborNull {
		return false
	}
	c.off++
	return true
}

// bytes reads a byte string of at most limit bytes, a view into the input.
func (c *cursor) bytes(limit int) []byte { return c.stringOf(majorBytes, limit) }

// text reads a UTF-8 text string of at most limit bytes, a view into the input.
func (c *cursor) text(limit int) []byte {
	v := c.stringOf(majorText, limit)
	if !utf8.Valid(v) {
		c.fail("text is not UTF-8")
	}
	return v
}

func (c *cursor) stringOf(major byte, limit int) []byte {
	n := c.head(major)
	if n > uint64(limit) {
		c.fail("length %d is above the limit %d", n, limit)
	}
	return c.raw(n)
}

// fixed reads a byte string of exactly len(dst) bytes into dst.
func (c *cursor) fixed(dst []byte) {
	n := c.head(majorBytes)
	if c.err == nil && n != uint64(len(dst)) {
		c.fail("length %d, want %d", n, len(dst))
	}
	copy(dst, c.raw(uint64(len(dst))))
}

// hash reads a 32-byte string.
func (c *cursor) hash() (h Hash) {
	c.fixed(h[:])
	return h
}

// end demands that nothing follows.
func (c *cursor) end() error {
	if c.err == nil && c.off != len(c.b) {
		c.fail("%d bytes follow the end", len(c.b)-c.off)
	}
	return c.err
}
