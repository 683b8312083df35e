package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// maxStatement bounds a statement. A boot statement of 10,000 agents is 0.7 MB, a session with their checkpoints 6 MB.
const maxStatement = 16 << 20

// maxSafe is the largest integer that every JSON reader keeps exactly (RFC 8259 §6).
const maxSafe = 1<<53 - 1

// encode writes the one encoding: compact JSON, members in the order of the struct, no HTML escapes.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	out := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	if bytes.Contains(bytes.ReplaceAll(out, []byte(`\\`), nil), []byte(`\ufffd`)) { // the encoder's mark for invalid UTF-8
		return nil, errors.New("text is not UTF-8")
	}
	return out, nil
}

// statement is what all statement types share.
type statement interface {
	Marshal() ([]byte, error)
	check() error
}

// decode parses exact bytes into dst and demands that encoding dst again gives the same bytes. That rejects duplicate,
// missing and misspelt members, another order, white space, trailing bytes, invalid UTF-8 and upper-case hex in one rule.
func decode(raw []byte, typ string, dst statement) error {
	if err := decodeStrict(raw, dst); err != nil {
		return fmt.Errorf("reading %s: %w", typ, err)
	}
	if err := dst.check(); err != nil {
		return fmt.Errorf("reading %s: %w", typ, err)
	}
	again, err := dst.Marshal()
	if err != nil {
		return fmt.Errorf("reading %s: %w", typ, err)
	}
	if at := firstDifference(raw, again); at >= 0 {
		return fmt.Errorf("reading %s: not the one encoding at byte %d (duplicate or missing member, order, white space or trailing bytes)", typ, at)
	}
	return nil
}

func decodeStrict(raw []byte, dst any) error {
	if len(raw) > maxStatement {
		return fmt.Errorf("%d bytes, more than %d", len(raw), maxStatement)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(dst); err != nil {
		return err
	}
	if dec.InputOffset() != int64(len(raw)) {
		return fmt.Errorf("trailing bytes after the document at byte %d", dec.InputOffset())
	}
	return nil
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	if len(a) != len(b) {
		return min(len(a), len(b))
	}
	return -1
}

// marshal checks and encodes: a statement we would refuse to read is never made.
func marshal(typ string, s statement) ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("making %s: %w", typ, err)
	}
	return encode(s)
}

// TypeOf returns the type of a document without judging the rest.
func TypeOf(raw []byte) (string, error) {
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return "", fmt.Errorf("reading the type of a statement: %w", err)
	}
	return head.Type, nil
}

// list makes the empty list of a nil one, so that both encode as [].
func list[T any](in []T) []T {
	if in == nil {
		return []T{}
	}
	return in
}
