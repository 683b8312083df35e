package tlog

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// Limits of the disclosed part.
const (
	MaxName    = 256     // bytes of a room or user id
	MaxContent = 1 << 24 // bytes of content
)

// Disclosed is what an addendum holds after its salt: the real ids, which the leaf names only by pseudonym, and the content.
// It is deterministic CBOR {1: room, 2: user, 3: content}, content last, so that a reader who holds a receipt can rebuild it from
// the receipt's metadata and the text.
type Disclosed struct {
	Room    string
	User    string
	Content []byte
}

// Append appends the deterministic bytes. Ids that ParseDisclosed would refuse are an error.
func (d *Disclosed) Append(b []byte) ([]byte, error) {
	if len(d.Room) > MaxName || len(d.User) > MaxName || len(d.Content) > MaxContent {
		return b, fmt.Errorf("disclosed part: an id is above %d bytes or the content above %d", MaxName, MaxContent)
	}
	if !utf8.ValidString(d.Room) || !utf8.ValidString(d.User) {
		return b, errors.New("disclosed part: an id is not UTF-8")
	}
	b = appendText(append(b, 0xa3, 1), d.Room)
	b = appendText(append(b, 2), d.User)
	return appendBytes(append(b, 3), d.Content), nil
}

// ParseDisclosed reads what Append wrote, strictly; Content is a view into b.
func ParseDisclosed(b []byte) (Disclosed, error) {
	c := cursor{what: "disclosed part", b: b}
	c.literal("\xa3")
	c.key(1, "room")
	room := string(c.text(MaxName))
	c.key(2, "user")
	user := string(c.text(MaxName))
	c.key(3, "content")
	d := Disclosed{room, user, c.bytes(MaxContent)}
	return d, c.end()
}

// OpenAddendum checks an addendum against a leaf's commitment and size class and returns its disclosed part.
func OpenAddendum(content Content, addendum []byte) (Disclosed, error) {
	if !Opens(content.Commitment, addendum) {
		return Disclosed{}, errors.New("content: it is not what the leaf commits to")
	}
	disclosed := addendum[SaltSize:]
	if SizeClass(len(disclosed)) != content.SizeClass {
		return Disclosed{}, fmt.Errorf("content: %d bytes, the leaf says size class %d", len(disclosed), content.SizeClass)
	}
	return ParseDisclosed(disclosed)
}
