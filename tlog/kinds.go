package tlog

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// Kinds counts entries by type: for each type the kseq its next entry will have. A leaf carries the Hash of the Kinds after it.
// The zero Kinds is that of the empty log.
type Kinds struct {
	list []kind // in the order of deterministic CBOR: shorter names first, then by bytes
}

type kind struct {
	name string
	next uint64
}

// Next returns the kseq that the next entry of this type has.
func (k *Kinds) Next(name string) uint64 {
	if i, ok := k.find(name); ok {
		return k.list[i].next
	}
	return 0
}

// Add counts one entry of this type and returns its kseq. It refuses an invalid type and more types than the limits.
func (k *Kinds) Add(name string) (kseq uint64, err error) {
	i, ok := k.find(name)
	if ok {
		k.list[i].next++
		return k.list[i].next - 1, nil
	}
	if err := k.admit(name); err != nil {
		return 0, err
	}
	k.list = slices.Insert(k.list, i, kind{strings.Clone(name), 1})
	return 0, nil
}

// CanAdd says why Add would refuse this type, nil if it would not.
func (k *Kinds) CanAdd(name string) error {
	if _, ok := k.find(name); ok {
		return nil
	}
	return k.admit(name)
}

func (k *Kinds) admit(name string) error {
	if !ValidType(name) {
		return fmt.Errorf("entry type %q: want letters, digits, . _ - in lower case, at most %d", clip(name), MaxTypeLen)
	}
	apps := 0
	for _, x := range k.list {
		if strings.HasPrefix(x.name, AppPrefix) {
			apps++
		}
	}
	if strings.HasPrefix(name, AppPrefix) && apps >= MaxAppTypes {
		return fmt.Errorf("entry type %q: this log already has %d types of callers", name, MaxAppTypes)
	}
	if len(k.list) >= MaxKinds {
		return fmt.Errorf("entry type %q: this log already has %d types", name, MaxKinds)
	}
	return nil
}

// Total returns the number of entries counted: the size of the log.
func (k *Kinds) Total() (n uint64) {
	for _, x := range k.list {
		n += x.next
	}
	return n
}

// All yields each type with its next kseq, in canonical order.
func (k *Kinds) All(yield func(name string, next uint64) bool) {
	for _, x := range k.list {
		if !yield(x.name, x.next) {
			return
		}
	}
}

// Clone returns an independent copy.
func (k *Kinds) Clone() Kinds { return Kinds{slices.Clone(k.list)} }

// Append appends the deterministic CBOR map {type: next kseq}.
func (k *Kinds) Append(b []byte) []byte {
	b = appendHead(b, majorMap, uint64(len(k.list)))
	for _, x := range k.list {
		b = appendUint(appendText(b, x.name), x.next)
	}
	return b
}

// Hash returns the SHA-256 of the deterministic CBOR map.
func (k *Kinds) Hash() Hash {
	var buf [2048]byte
	return sha256.Sum256(k.Append(buf[:0]))
}

// ParseKinds reads what Append wrote, strictly.
func ParseKinds(b []byte) (Kinds, error) {
	c := cursor{what: "kinds", b: b}
	n := c.head(majorMap)
	if n > MaxKinds {
		c.fail("%d types, the limit is %d", n, MaxKinds)
	}
	var k Kinds
	for i := uint64(0); i < n && c.err == nil; i++ {
		name := string(c.text(MaxTypeLen))
		next := c.uint(MaxCount)
		switch {
		case c.err != nil:
		case !ValidType(name) || next == 0:
			c.fail("invalid type or count")
		case len(k.list) > 0 && compareKinds(k.list[len(k.list)-1].name, name) >= 0:
			c.fail("types out of order")
		}
		k.list = append(k.list, kind{name, next})
	}
	if err := c.end(); err != nil {
		return Kinds{}, err
	}
	return k, nil
}

func (k *Kinds) find(name string) (int, bool) {
	return slices.BinarySearchFunc(k.list, name, func(x kind, n string) int { return compareKinds(x.name, n) })
}

// compareKinds orders by the bytes of the encoded keys: their heads grow with the length (RFC 8949 §4.2.1).
func compareKinds(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
