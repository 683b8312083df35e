package tlog

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
)

// DecodeLeaf reads a leaf strictly: whatever it accepts, Encode writes back byte for byte.
func DecodeLeaf(b []byte) (*Leaf, error) {
	l := new(Leaf)
	return l, l.Decode(b)
}

// Decode is DecodeLeaf into an existing Leaf, whose memory it reuses; Verify refers to b until the next Decode.
func (l *Leaf) Decode(b []byte) error {
	if len(b) > MaxLeaf {
		return fmt.Errorf("leaf: %d bytes, the limit is %d", len(b), MaxLeaf)
	}
	l.raw.protected, l.raw.payload = nil, nil
	c := cursor{what: "leaf", b: b}
	c.literal(leafHead)
	protected := c.protected(l)
	c.literal("\xa0")
	c.field = "payload"
	payload := c.bytes(payloadLimit)
	c.field = "signature"
	c.fixed(l.Sig[:])
	if err := c.end(); err != nil {
		return err
	}
	if err := l.decodePayload(payload); err != nil {
		return err
	}
	if err := l.namesAgent(); err != nil {
		return err
	}
	l.raw.protected, l.raw.payload = protected, payload
	return l.check(l.raw.agent)
}

// namesAgent parses the origin, once for a run of leaves with the same one.
func (l *Leaf) namesAgent() (err error) {
	if l.raw.origin != l.Origin {
		l.raw.agent, err = ParseOrigin(l.Origin)
		l.raw.origin = l.Origin
	}
	if err != nil {
		l.raw.origin = ""
	}
	return err
}

// protected reads the protected header with its length.
func (c *cursor) protected(l *Leaf) []byte {
	c.field = "protected header"
	if n := c.raw(1); c.err == nil && int(n[0]) != protectedLen {
		c.fail("length %d, want %d", n[0], protectedLen)
	}
	start := c.off
	c.literal(protectedHead)
	copy(l.KeyID[:], c.raw(8))
	c.literal(protectedClaim)
	origin := c.raw(uint64(originLen))
	if string(origin) != l.Origin {
		l.Origin = string(origin)
	}
	c.literal(protectedSub)
	sub := c.raw(36)
	if c.err == nil && string(sub) != string(origin[len(originPrefix):len(originPrefix)+36]) {
		c.fail("the subject is not the agent that the origin names")
	}
	return c.b[start:c.off]
}

func (l *Leaf) decodePayload(payload []byte) error {
	c := cursor{what: "leaf payload", b: payload, field: "version"}
	c.literal(payloadHead)
	l.Boot = c.counter(2, "boot number")
	l.Index = c.counter(3, "index")
	c.key(4, "type")
	if t := c.text(MaxTypeLen); string(t) != l.Type {
		l.Type = string(t)
	}
	l.KSeq = c.counter(5, "kseq")
	c.key(6, "kinds")
	l.Kinds = c.hash()
	c.key(7, "agent")
	c.fixed(l.Agent[:])
	l.Room = c.pseudonym(8, "room")
	l.User = c.pseudonym(9, "user")
	l.Speaker = Speaker(c.enum(10, "speaker"))
	l.Source = Source(c.enum(11, "source"))
	l.Time = c.counter(12, "time")
	c.key(13, "clamped")
	l.Clamped = c.bool()
	c.key(14, "content")
	c.content(&l.Content)
	c.key(15, "body")
	c.body(l)
	c.key(16, "cause")
	l.Cause = c.indices(l.Cause[:0])
	return c.end()
}

// key consumes the map key of the next field, a number below 24.
func (c *cursor) key(n byte, field string) {
	c.field = field
	if b := c.raw(1); c.err == nil && b[0] != n {
		c.fail("key %d where %d belongs", b[0], n)
	}
}

func (c *cursor) counter(key byte, field string) uint64 {
	c.key(key, field)
	return c.uint(MaxCount)
}

func (c *cursor) enum(key byte, field string) uint8 {
	c.key(key, field)
	return uint8(c.uint(23))
}

func (c *cursor) pseudonym(key byte, field string) (p Pseudonym) {
	c.key(key, field)
	if c.null() {
		return p
	}
	if c.fixed(p[:]); p == (Pseudonym{}) {
		c.fail("sixteen zero bytes where null belongs")
	}
	return p
}

func (c *cursor) content(out *Content) {
	media := out.MediaType
	*out = Content{}
	if c.null() {
		return
	}
	c.literal("\x84")
	out.Commitment = c.hash()
	if m := c.text(127); string(m) == media {
		out.MediaType = media
	} else {
		out.MediaType = string(m)
	}
	out.SizeClass = uint8(c.uint(63))
	out.Visibility = Visibility(c.uint(23))
	if out.Commitment.IsZero() {
		c.fail("a commitment of zeros where null belongs")
	}
}

func (c *cursor) body(l *Leaf) {
	l.Start, l.Erased = nil, nil
	switch c.peek() {
	case 0xa6:
		l.Start = c.start()
	case 0xa4:
		l.Erased = c.erasure()
	default:
		if !c.null() {
			c.fail("neither a start nor an erasure nor null")
		}
	}
}

func (c *cursor) start() *Start {
	c.literal("\xa6")
	s := new(Start)
	for i, h := range []*[32]byte{(*[32]byte)(&s.Statement), (*[32]byte)(&s.Part), (*[32]byte)(&s.Evidence), (*[32]byte)(&s.Root), &s.BootKey, &s.AgentKey} {
		c.key(byte(i+1), "body")
		c.fixed(h[:])
	}
	return s
}

func (c *cursor) erasure() *Erasure {
	c.literal("\xa4")
	c.key(1, "erasure targets")
	n := c.head(majorArray)
	if n > MaxTargets {
		c.fail("%d targets, the limit is %d", n, MaxTargets)
	}
	e := new(Erasure)
	for i := uint64(0); i < n && c.err == nil; i++ {
		c.literal("\x82")
		e.Targets = append(e.Targets, Target{c.uint(MaxCount), string(c.text(MaxTypeLen))})
	}
	e.Requester = Requester(c.enum(2, "erasure requester"))
	e.By = c.pseudonym(3, "erasure requester")
	c.key(4, "erasure reason")
	e.Reason = string(c.text(MaxReason))
	return e
}

func (c *cursor) indices(list []uint64) []uint64 {
	n := c.head(majorArray)
	if n > MaxCause {
		c.fail("%d causes, the limit is %d", n, MaxCause)
	}
	for i := uint64(0); i < n && c.err == nil; i++ {
		list = append(list, c.uint(MaxCount))
	}
	return list
}

// Verify says whether the decoded leaf was signed by this agent key. Only a Leaf filled by Decode can be verified.
func (l *Leaf) Verify(agentKey ed25519.PublicKey) bool {
	if len(agentKey) != ed25519.PublicKeySize || l.raw.payload == nil || KeyIDOf(agentKey) != l.KeyID {
		return false
	}
	var buf [1024]byte
	return ed25519.Verify(agentKey, appendSigned(buf[:0], l.raw.protected, l.raw.payload), l.Sig[:])
}

// Digest returns the SHA-256 of public bytes as a Start names them.
func Digest(b []byte) Hash { return sha256.Sum256(b) }
