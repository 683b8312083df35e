package tlog

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"
)

// Limits of a leaf. Counters stay below 2^53, so that every JSON reader has them exactly.
const (
	LeafVersion = 1
	ContentType = "application/vnd.teapot.entry+cbor"
	MaxLeaf     = 65535 // C2SP tlog-tiles: the length of an entry is a u16
	MaxCount    = 1<<53 - 1
	MaxCause    = 64
	MaxTargets  = 1024
	MaxReason   = 512
)

// KeyID is the COSE kid of an agent key: SHA-256(public key)[0:8]. It only helps to find the key.
type KeyID [8]byte

// KeyIDOf returns the KeyID of a public key.
func KeyIDOf(pub ed25519.PublicKey) KeyID {
	sum := sha256.Sum256(pub)
	return KeyID(sum[:8])
}

// Leaf is one entry of the log as it is signed and hashed: a COSE_Sign1 over deterministic CBOR. docs/formats/leaf.md has the
// bytes.
type Leaf struct {
	Origin  string    // the log (CWT iss)
	KeyID   KeyID     // the agent key that signed
	Boot    uint64    // number of the start: the kseq of its boot leaf
	Index   uint64    // place in the tree, from 0
	Type    string    // what happened
	KSeq    uint64    // place among the entries of this type, from 0
	Kinds   Hash      // hash of the Kinds after this entry
	Agent   UUID      // the agent (CWT sub); the one the origin names
	Room    Pseudonym //
	User    Pseudonym //
	Speaker Speaker   //
	Source  Source    //
	Time    uint64    // microseconds since 1970: max of the host's clock and the predecessor's time
	Clamped bool      // the host's clock was more than five minutes behind the predecessor
	Content Content   // commitment to the addendum; zero: none
	Start   *Start    // set for type boot, only there
	Erased  *Erasure  // set for type erasure, only there
	Cause   []uint64  // indices of the entries that led to this one, ascending
	Sig     [64]byte  // Ed25519
	raw     rawLeaf   // what Decode read
}

// rawLeaf holds what Decode found: views of the signed parts in the caller's bytes, and the agent that the origin names.
type rawLeaf struct {
	protected, payload []byte
	origin             string
	agent              UUID
}

// Content is a leaf's commitment to its addendum. The zero Content means there is none.
type Content struct {
	Commitment Hash       // Commit(addendum)
	MediaType  string     // of the disclosed content
	SizeClass  uint8      // SizeClass(length of the disclosed part)
	Visibility Visibility //
}

// Start is the body of a boot leaf. The three digests are plain SHA-256 of bytes that are public and cannot be erased.
type Start struct {
	Statement Hash     // the boot statement
	Part      Hash     // the agent part it lists
	Evidence  Hash     // the Evidence document
	Root      Hash     // root of the tree found at this start; its size is the boot leaf's index
	BootKey   [32]byte // Ed25519, signs checkpoints until the next boot leaf
	AgentKey  [32]byte // Ed25519, signs leaves until the next boot leaf, this leaf included
}

// Erasure is the body of an erasure leaf. It is public and cannot be erased: the reason must not name people.
type Erasure struct {
	Targets   []Target  // ascending by index
	Requester Requester // on whose demand
	By        Pseudonym // the user who asked, if one did
	Reason    string    // UTF-8, at most MaxReason bytes
}

// Target is one entry whose content was erased. Its type stands here so that a reader sees at once that it may be erased.
type Target struct {
	Index uint64
	Type  string
}

// SizeClass returns the least c with n ≤ 2^c.
func SizeClass(n int) uint8 {
	if n <= 1 {
		return 0
	}
	return uint8(bits.Len(uint(n - 1)))
}

// Check says what is wrong with the fields of a leaf as far as the leaf alone shows it; nil when nothing is.
func (l *Leaf) Check() error {
	agent, err := ParseOrigin(l.Origin)
	if err != nil {
		return err
	}
	return l.check(agent)
}

// check is Check for an origin that is known to name agent.
func (l *Leaf) check(agent UUID) error {
	switch {
	case agent != l.Agent:
		return errors.New("leaf: the origin names another agent")
	case !ValidType(l.Type):
		return fmt.Errorf("leaf: invalid type %q", clip(l.Type))
	case l.Boot > MaxCount || l.Index > MaxCount || l.KSeq > l.Index || l.Time > MaxCount:
		return errors.New("leaf: a counter is out of range")
	case int(l.Speaker) >= len(speakers) || int(l.Source) >= len(sources):
		return errors.New("leaf: unknown speaker or source")
	case (l.Start != nil) != (l.Type == TypeBoot) || (l.Erased != nil) != (l.Type == TypeErasure):
		return fmt.Errorf("leaf: the body does not belong to type %q", l.Type)
	case l.Start != nil && (l.Content != Content{} || l.Boot != l.KSeq):
		return errors.New("leaf: a boot leaf has no content, and its boot number is its kseq")
	}
	return l.checkParts()
}

func (l *Leaf) checkParts() error {
	if err := l.Content.check(); err != nil {
		return err
	}
	if err := l.Erased.check(l.Index); err != nil {
		return err
	}
	if len(l.Cause) > MaxCause {
		return fmt.Errorf("leaf: %d causes, the limit is %d", len(l.Cause), MaxCause)
	}
	if !ascendingBelow(l.Cause, l.Index) {
		return errors.New("leaf: causes must ascend and lie before the entry")
	}
	return nil
}

func (c *Content) check() error {
	if *c == (Content{}) {
		return nil
	}
	if c.Commitment.IsZero() || !validMediaType(c.MediaType) || c.SizeClass > 63 || int(c.Visibility) >= len(visibilities) {
		return errors.New("leaf: invalid content commitment")
	}
	return nil
}

func (e *Erasure) check(index uint64) error {
	if e == nil {
		return nil
	}
	if len(e.Targets) == 0 || len(e.Targets) > MaxTargets {
		return fmt.Errorf("leaf: %d erasure targets, want 1 to %d", len(e.Targets), MaxTargets)
	}
	for i, t := range e.Targets {
		if t.Index >= index || i > 0 && t.Index <= e.Targets[i-1].Index || !ValidType(t.Type) {
			return errors.New("leaf: erasure targets must ascend, lie before the entry and have types")
		}
	}
	if e.Requester == RequesterNone || int(e.Requester) >= len(requesters) || !validReason(e.Reason) {
		return errors.New("leaf: an erasure names its requester and a reason of at most 512 bytes")
	}
	return nil
}

func ascendingBelow(list []uint64, limit uint64) bool {
	for i, n := range list {
		if n >= limit || i > 0 && n <= list[i-1] {
			return false
		}
	}
	return true
}
