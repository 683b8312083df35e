package tlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// ReceiptType names the version of the receipt.
const ReceiptType = "teapot/receipt/v1"

// Limits of receipts.
const (
	MaxReceipt     = 4096    // bytes of the form that comes with a reply
	MaxReceiptFile = 8 << 20 // bytes of the file form
	maxReceiptRows = 16
)

// Receipt proves that entries are recorded: for the message and the reply the leaf, its index and proof, the salt and the
// disclosed metadata, under one checkpoint. It never proves that a reply was delivered. The salt is the receipt's secret: it
// opens exactly these entries. The file form adds the contents, the boot leaf and the evidence of the start.
type Receipt struct {
	Type       string         `json:"type"`               // ReceiptType
	Checkpoint string         `json:"checkpoint"`         // signed note
	Shared     Hashes64       `json:"shared"`             // the end that all proofs have in common
	Entries    []ReceiptEntry `json:"entries"`            // ascending by index
	Boot       *ReceiptBoot   `json:"boot,omitempty"`     // file form: the start's leaf
	Evidence   []byte         `json:"evidence,omitempty"` // file form: base64 of the exact bytes of its Evidence document
}

// ReceiptEntry is one entry of a receipt.
type ReceiptEntry struct {
	Index   uint64   `json:"index"`
	Leaf    []byte   `json:"leaf"`              // base64
	Proof   Hashes64 `json:"proof"`             // the proof's beginning; Receipt.Shared follows
	Salt    []byte   `json:"salt,omitempty"`    // base64, 32 bytes; missing if the entry has no content or it is not for the holder
	Room    string   `json:"room,omitempty"`    // disclosed metadata
	User    string   `json:"user,omitempty"`    //
	Content []byte   `json:"content,omitempty"` // base64; file form
}

// ReceiptBoot is the boot leaf under which a receipt's entries were signed.
type ReceiptBoot struct {
	Index uint64   `json:"index"`
	Leaf  []byte   `json:"leaf"`
	Proof Hashes64 `json:"proof"` // whole
}

// Hashes64 is a list of hashes; in JSON the base64 of their concatenation.
type Hashes64 []Hash

// MarshalJSON writes base64.
func (h Hashes64) MarshalJSON() ([]byte, error) {
	raw := make([]byte, 0, len(h)*len(Hash{}))
	for _, x := range h {
		raw = append(raw, x[:]...)
	}
	return json.Marshal(raw)
}

// UnmarshalJSON reads base64 of whole hashes.
func (h *Hashes64) UnmarshalJSON(b []byte) error {
	var raw []byte
	if err := json.Unmarshal(b, &raw); err != nil || len(raw)%len(Hash{}) != 0 || len(raw) > MaxProof*len(Hash{}) {
		return errors.New("want the base64 of at most 63 hashes of 32 bytes")
	}
	*h = make(Hashes64, 0, len(raw)/len(Hash{}))
	for part := range slices.Chunk(raw, len(Hash{})) {
		*h = append(*h, Hash(part))
	}
	return nil
}

// Recorded is one entry to put into a receipt.
type Recorded struct {
	Index       uint64
	Leaf        []byte
	Path        []Hash // inclusion proof under the receipt's checkpoint
	Addendum    []byte // nil: not for the holder
	WithContent bool   // file form
}

// NewReceipt makes a receipt; all paths lead to the checkpoint's root.
func NewReceipt(checkpoint []byte, entries ...Recorded) (*Receipt, error) {
	r := &Receipt{Type: ReceiptType, Checkpoint: string(checkpoint), Shared: Hashes64{}}
	if len(entries) == 0 || len(entries) > maxReceiptRows {
		return nil, fmt.Errorf("receipt: %d entries, want 1 to %d", len(entries), maxReceiptRows)
	}
	shared := commonEnd(entries)
	r.Shared = append(r.Shared, entries[0].Path[len(entries[0].Path)-shared:]...)
	for _, e := range entries {
		row := ReceiptEntry{Index: e.Index, Leaf: e.Leaf, Proof: append(Hashes64{}, e.Path[:len(e.Path)-shared]...)}
		if e.Addendum != nil {
			if len(e.Addendum) < SaltSize {
				return nil, errors.New("receipt: an addendum is shorter than its salt")
			}
			d, err := ParseDisclosed(e.Addendum[SaltSize:])
			if err != nil {
				return nil, err
			}
			row.Salt, row.Room, row.User = e.Addendum[:SaltSize], d.Room, d.User
			if e.WithContent {
				row.Content = d.Content
			}
		}
		r.Entries = append(r.Entries, row)
	}
	return r, r.check()
}

func commonEnd(entries []Recorded) int {
	first := entries[0].Path
	shared := len(first)
	for _, e := range entries[1:] {
		n := 0
		for n < min(shared, len(e.Path)) && e.Path[len(e.Path)-1-n] == first[len(first)-1-n] {
			n++
		}
		shared = n
	}
	if len(entries) == 1 {
		return 0
	}
	return shared
}

// Marshal returns the receipt's JSON.
func (r *Receipt) Marshal() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return marshalJSON(r)
}

// ParseReceipt reads a receipt strictly. Nothing in it is verified.
func ParseReceipt(b []byte) (*Receipt, error) {
	if len(b) > MaxReceiptFile {
		return nil, fmt.Errorf("receipt: %d bytes, the limit is %d", len(b), MaxReceiptFile)
	}
	r := new(Receipt)
	if err := unmarshalJSON(b, r); err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	return r, r.check()
}

func (r *Receipt) check() error {
	switch {
	case r.Type != ReceiptType:
		return fmt.Errorf("receipt: type %q, want %q", clip(r.Type), ReceiptType)
	case len(r.Entries) == 0 || len(r.Entries) > maxReceiptRows:
		return fmt.Errorf("receipt: %d entries, want 1 to %d", len(r.Entries), maxReceiptRows)
	case (r.Boot == nil) != (len(r.Evidence) == 0):
		return errors.New("receipt: the boot leaf and its evidence belong together")
	}
	for i, e := range r.Entries {
		if i > 0 && e.Index <= r.Entries[i-1].Index {
			return errors.New("receipt: entries out of order")
		}
		if len(e.Salt) != 0 && len(e.Salt) != SaltSize || len(e.Salt) == 0 && (e.Room != "" || e.User != "" || e.Content != nil) {
			return errors.New("receipt: a salt has 32 bytes, and nothing is disclosed without one")
		}
	}
	return nil
}

// Path returns the whole inclusion proof of entry i.
func (r *Receipt) Path(i int) []Hash { return slices.Concat(r.Entries[i].Proof, r.Shared) }

// Addendum rebuilds the addendum of an entry from the receipt's metadata and the text the holder has.
func (e *ReceiptEntry) Addendum(content []byte) ([]byte, error) {
	d := Disclosed{e.Room, e.User, content}
	return d.Append(bytes.Clone(e.Salt))
}
