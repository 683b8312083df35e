// Package uuid makes Eliza's ids: a UUID-shaped digest of a text. They name things and prove nothing: the digest is
// 122 bits of SHA-1, so an id is never used where a collision would let somebody act as another.
package uuid

import (
	"crypto/sha1" // Eliza's ids are SHA-1; nothing here depends on its strength
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
)

// ErrLoneSurrogate is JavaScript's "URI malformed": the text has half of a surrogate pair.
var ErrLoneSurrogate = errors.New("text has a lone surrogate (URI malformed)")

var shape = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// Valid tells whether s is 8-4-4-4-12 hex digits of any case. Version bits are not looked at, as in Eliza.
func Valid(s string) bool { return shape.MatchString(s) }

// FromText is Eliza's stringToUuid: SHA-1 over encodeURIComponent(s), version nibble 0, variant bits 10.
// There is no normalisation: "Eliza" and "eliza" differ.
func FromText(s string) (string, error) {
	escaped, err := encodeURIComponent(s)
	if err != nil {
		return "", err
	}
	sum := sha1.Sum([]byte(escaped))
	return FromBytes([16]byte(sum[:16])), nil
}

// Of is FromText for text that is known to be UTF-8, such as ids and names that were checked before; bytes that are
// not UTF-8 are replaced first.
func Of(s string) string {
	id, err := FromText(strings.ToValidUTF8(s, "\ufffd"))
	if err != nil {
		panic("internal: valid UTF-8 has no surrogates")
	}
	return id
}

// FromBytes prints 16 bytes as a UUID with Eliza's bits: version nibble 0, variant 10.
func FromBytes(b [16]byte) string {
	b[6] &= 0x0f
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// encodeURIComponent is ECMA-262's: all but A-Z a-z 0-9 - _ . ! ~ * ' ( ) as upper-case %XX of UTF-8.
func encodeURIComponent(s string) (string, error) {
	const digits = "0123456789ABCDEF"
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == 0xED && i+1 < len(s) && s[i+1] >= 0xA0 {
			return "", ErrLoneSurrogate
		}
		if unreserved(c) {
			out.WriteByte(c)
			continue
		}
		out.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	return out.String(), nil
}

func unreserved(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("-_.!~*'()", c) >= 0
}
