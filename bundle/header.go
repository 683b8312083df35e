package bundle

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/teapot-tee/teapot/tlog"
)

// Magic opens every bundle.
const Magic = "TEAPOT-BUNDLE\x00\x01\n"

// HeaderType names the version of the header.
const HeaderType = "teapot/bundle/v1"

// MaxNonce bounds the caller's nonce in bytes.
const MaxNonce = 64

// Header is the first record: what was asked.
type Header struct {
	Type   string `json:"type"`            // HeaderType
	Origin string `json:"origin"`          // of the log
	Size   uint64 `json:"size"`            // of the checkpoint: the entries cover [Base, Size)
	Base   uint64 `json:"base,omitempty"`  // size of a tree that the reader has already; 0 for a stranger
	Nonce  string `json:"nonce,omitempty"` // lower-case hex, the caller's
	Query  Query  `json:"query"`
}

// Query is what the caller asked for. Complete answers are proven by index, type and time; by room and user with the
// pseudonyms, when every entry of the window is there.
type Query struct {
	tlog.Window
	Room     string `json:"room,omitempty"` // pseudonym, lower-case hex
	User     string `json:"user,omitempty"` // pseudonym, lower-case hex
	Contents bool   `json:"contents"`       // contents were asked for: public ones must not be missing
}

// Marshal returns the header's exact bytes.
func (h *Header) Marshal() ([]byte, error) {
	if err := h.check(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(h); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// ParseHeader reads exactly what Marshal writes.
func ParseHeader(b []byte) (*Header, error) {
	h := new(Header)
	if err := json.Unmarshal(b, h); err != nil {
		return nil, fmt.Errorf("bundle header: %w", err)
	}
	back, err := h.Marshal()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(back, b) {
		return nil, errors.New("bundle header: not in the form that Teapot writes")
	}
	return h, nil
}

func (h *Header) check() error {
	if h.Type != HeaderType {
		return fmt.Errorf("bundle header: type %q, want %q", clip(h.Type), HeaderType)
	}
	if _, err := tlog.ParseOrigin(h.Origin); err != nil {
		return fmt.Errorf("bundle header: %w", err)
	}
	if h.Size > tlog.MaxCount || h.Base > h.Size {
		return errors.New("bundle header: base and size do not fit")
	}
	if raw, err := hex.DecodeString(h.Nonce); err != nil || hex.EncodeToString(raw) != h.Nonce || len(raw) > MaxNonce {
		return errors.New("bundle header: the nonce is not lower-case hex of at most 64 bytes")
	}
	return h.Query.check()
}

func (q *Query) check() error {
	for _, p := range []string{q.Room, q.User} {
		if _, err := tlog.ParsePseudonym(p); p != "" && err != nil {
			return fmt.Errorf("bundle header: %w", err)
		}
	}
	if q.To != 0 && q.To < q.From || q.Until != 0 && q.Until < q.Since || len(q.Types) > tlog.MaxKinds {
		return errors.New("bundle header: the query's bounds do not fit")
	}
	for i, t := range q.Types {
		if !tlog.ValidType(t) || i > 0 && slices.Compare(q.Types[i-1:i], q.Types[i:i+1]) >= 0 {
			return errors.New("bundle header: the query's types are invalid or not sorted")
		}
	}
	return nil
}

// clip bounds foreign text in messages.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
