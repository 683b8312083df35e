package bundle

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/teapot-tee/teapot/tlog"
)

// kind is the first byte of a record. Records stand in ascending order of kind, except that entries and subtrees mix.
type kind uint8

// Kinds of records.
const (
	kindHeader     kind = 1 // JSON, once
	kindSession    kind = 2 // Evidence document over a session statement, at most once
	kindEvidence   kind = 3 // Evidence document of a start, in order of the starts; its SHA-256 stands in the boot leaf
	kindCollateral kind = 4 // dcap-qvl JSON newer than what the evidence carries
	kindCheckpoint kind = 5 // signed note, once
	kindKinds      kind = 6 // deterministic CBOR {type: next kseq} at the checkpoint's size, at most once
	kindEntry      kind = 7 // status ‖ u16 length of the leaf ‖ leaf ‖ addendum
	kindLeft       kind = 8 // level ‖ hash: entries left out
	kindEnd        kind = 9 // SHA-256 of everything before
)

// Limits that a Reader enforces.
const (
	MaxDocument  = 8 << 20   // one evidence or collateral
	MaxDocuments = 128 << 20 // all of them
	minCounted   = 1 << 10   // what one counts at least: no document is smaller, and a stream of empty ones would have no end
	maxNote      = 1 << 16
	maxSmall     = 1 << 14
	maxEntry     = 3 + tlog.MaxLeaf + tlog.SaltSize + tlog.MaxContent + 1024
	headLen      = 5
)

var errOrder = errors.New("bundle: records out of order")

func (k kind) limit() int {
	switch k {
	case kindHeader, kindKinds:
		return maxSmall
	case kindSession, kindEvidence, kindCollateral:
		return MaxDocument
	case kindCheckpoint:
		return maxNote
	case kindEntry:
		return maxEntry
	case kindLeft:
		return 33
	case kindEnd:
		return 32
	}
	return -1
}

// follows says whether a record of kind k may stand after one of kind prev.
func (k kind) follows(prev kind) bool {
	switch k {
	case kindHeader:
		return prev == 0
	case kindSession, kindCheckpoint, kindKinds:
		return prev < k && prev != 0
	case kindEvidence, kindCollateral:
		return prev <= k && prev != 0
	case kindEntry, kindLeft:
		return prev >= kindCheckpoint && prev <= kindLeft
	case kindEnd:
		return prev >= kindCheckpoint && prev < kindEnd
	}
	return false
}

// appendHead appends a record's head: kind and length, u32 big endian.
func appendHead(b []byte, k kind, n int) []byte {
	return binary.BigEndian.AppendUint32(append(b, byte(k)), uint32(n))
}

// parseEntry reads the body of an entry record; Leaf and Addendum are views into b.
func parseEntry(b []byte) (tlog.Item, error) {
	if len(b) < 3 {
		return tlog.Item{}, errors.New("bundle: an entry is cut short")
	}
	n := 3 + int(binary.BigEndian.Uint16(b[1:]))
	if n == 3 || n > len(b) {
		return tlog.Item{}, errors.New("bundle: an entry is cut short")
	}
	item := tlog.Item{Status: tlog.Status(b[0]), Leaf: b[3:n:n], Addendum: b[n:len(b):len(b)]}
	return item, checkEntry(&item)
}

func checkEntry(item *tlog.Item) error {
	if item.Status > tlog.StatusWithheld || len(item.Leaf) > tlog.MaxLeaf {
		return fmt.Errorf("bundle: an entry has the unknown status %d, or is too long", item.Status)
	}
	if (item.Status == tlog.StatusDisclosed) != (len(item.Addendum) > 0) {
		return errors.New("bundle: an entry has content if and only if it is disclosed")
	}
	return nil
}
