package tlog

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Fixed bytes of the format. The protected header has constant length because origin, key id and agent have.
const (
	protectedHead  = "\xa4\x01\x27\x03\x78\x21" + ContentType + "\x04\x48" // {1: -8, 3: ContentType, 4: 8 bytes
	protectedClaim = "\x0f\xa2\x01\x78\x4c"                                // 15: {1: 76 characters
	protectedSub   = "\x02\x78\x24"                                        // 2: 36 characters}}
	protectedLen   = len(protectedHead) + 8 + len(protectedClaim) + originLen + len(protectedSub) + 36
	leafHead       = "\xd2\x84\x58" // tag 18, array of 4, byte string with a one-byte length
	payloadHead    = "\xb0\x01\x01" // map of 16, {1: 1
	payloadLimit   = MaxLeaf - len(leafHead) - 1 - protectedLen - 1 - 3 - 66
	signedContext  = "\x84\x6aSignature1"
)

// Signer makes leaves of one log with the agent key of one start. It is safe for concurrent use.
type Signer struct {
	origin    string
	agent     UUID
	keyID     KeyID
	key       ed25519.PrivateKey
	protected []byte
}

// NewSigner returns the Signer of a log and agent key.
func NewSigner(origin string, key ed25519.PrivateKey) (*Signer, error) {
	agent, err := ParseOrigin(origin)
	if err != nil {
		return nil, err
	}
	if len(key) != ed25519.PrivateKeySize {
		return nil, errors.New("leaf signer: want an Ed25519 private key")
	}
	id := KeyIDOf(key.Public().(ed25519.PublicKey))
	return &Signer{origin, agent, id, key, appendProtected(nil, origin, agent, id)}, nil
}

// Sign completes l (Origin, Agent, KeyID and Sig are set by it), appends the leaf's bytes to dst and returns the whole. Fields
// that Check refuses are an error, and nothing is signed.
func (s *Signer) Sign(dst []byte, l *Leaf) ([]byte, error) {
	l.Origin, l.Agent, l.KeyID = s.origin, s.agent, s.keyID
	if err := l.check(s.agent); err != nil {
		return dst, err
	}
	var pbuf, tbuf [1024]byte
	payload := l.appendPayload(pbuf[:0])
	if len(payload) > payloadLimit {
		return dst, fmt.Errorf("leaf: %d bytes of payload, the limit is %d", len(payload), payloadLimit)
	}
	copy(l.Sig[:], ed25519.Sign(s.key, appendSigned(tbuf[:0], s.protected, payload)))
	return appendLeaf(dst, s.protected, payload, &l.Sig), nil
}

// Sign is NewSigner and Signer.Sign for a single leaf; l.Origin must be set.
func (l *Leaf) Sign(key ed25519.PrivateKey) ([]byte, error) {
	s, err := NewSigner(l.Origin, key)
	if err != nil {
		return nil, err
	}
	return s.Sign(nil, l)
}

// Encode returns the bytes of a leaf that is complete with Sig: the inverse of Decode.
func (l *Leaf) Encode() ([]byte, error) {
	if err := l.Check(); err != nil {
		return nil, err
	}
	payload := l.appendPayload(nil)
	if len(payload) > payloadLimit {
		return nil, errors.New("leaf: too large")
	}
	return appendLeaf(nil, appendProtected(nil, l.Origin, l.Agent, l.KeyID), payload, &l.Sig), nil
}

// appendLeaf appends tag 18 [protected, {}, payload, signature].
func appendLeaf(b, protected, payload []byte, sig *[64]byte) []byte {
	b = append(append(b, leafHead...), byte(len(protected)))
	b = append(append(b, protected...), 0xa0)
	b = appendBytes(b, payload)
	return append(append(b, 0x58, 0x40), sig[:]...)
}

// appendSigned appends COSE's Sig_structure ["Signature1", protected, h”, payload]. RFC 9052 §4.4.
func appendSigned(b, protected, payload []byte) []byte {
	b = append(b, signedContext...)
	b = appendBytes(b, protected)
	b = append(b, 0x40)
	return appendBytes(b, payload)
}

func appendProtected(b []byte, origin string, agent UUID, id KeyID) []byte {
	b = append(append(b, protectedHead...), id[:]...)
	b = append(append(b, protectedClaim...), origin...)
	return append(append(b, protectedSub...), agent.String()...)
}

func (l *Leaf) appendPayload(b []byte) []byte {
	b = append(b, payloadHead...)
	b = appendUint(append(b, 2), l.Boot)
	b = appendUint(append(b, 3), l.Index)
	b = appendText(append(b, 4), l.Type)
	b = appendUint(append(b, 5), l.KSeq)
	b = appendBytes(append(b, 6), l.Kinds[:])
	b = appendBytes(append(b, 7), l.Agent[:])
	b = appendPseudonym(append(b, 8), l.Room)
	b = appendPseudonym(append(b, 9), l.User)
	b = append(b, 10, byte(l.Speaker), 11, byte(l.Source))
	b = appendUint(append(b, 12), l.Time)
	b = append(b, 13, cborFalse)
	if l.Clamped {
		b[len(b)-1] = cborTrue
	}
	b = l.Content.append(append(b, 14))
	b = l.appendBody(append(b, 15))
	b = appendHead(append(b, 16), majorArray, uint64(len(l.Cause)))
	for _, c := range l.Cause {
		b = appendUint(b, c)
	}
	return b
}

func (c *Content) append(b []byte) []byte {
	if *c == (Content{}) {
		return append(b, cborNull)
	}
	b = appendBytes(append(b, 0x84), c.Commitment[:])
	b = appendText(b, c.MediaType)
	return append(appendUint(b, uint64(c.SizeClass)), byte(c.Visibility))
}

func (l *Leaf) appendBody(b []byte) []byte {
	switch {
	case l.Start != nil:
		return l.Start.append(b)
	case l.Erased != nil:
		return l.Erased.append(b)
	}
	return append(b, cborNull)
}

func (s *Start) append(b []byte) []byte {
	b = append(b, 0xa6)
	for i, h := range []*[32]byte{(*[32]byte)(&s.Statement), (*[32]byte)(&s.Part), (*[32]byte)(&s.Evidence), (*[32]byte)(&s.Root), &s.BootKey, &s.AgentKey} {
		b = appendBytes(append(b, byte(i+1)), h[:])
	}
	return b
}

func (e *Erasure) append(b []byte) []byte {
	b = appendHead(append(b, 0xa4, 1), majorArray, uint64(len(e.Targets)))
	for _, t := range e.Targets {
		b = appendText(appendUint(append(b, 0x82), t.Index), t.Type)
	}
	b = append(b, 2, byte(e.Requester))
	b = appendPseudonym(append(b, 3), e.By)
	return appendText(append(b, 4), e.Reason)
}

func appendPseudonym(b []byte, p Pseudonym) []byte {
	if p == (Pseudonym{}) {
		return append(b, cborNull)
	}
	return appendBytes(b, p[:])
}

func validReason(s string) bool { return s != "" && len(s) <= MaxReason && utf8.ValidString(s) }
