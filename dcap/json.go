package dcap

import (
	"encoding/hex"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	maxDepth   = 32  // of nesting, as Intel's library
	maxMembers = 128 // of one object; Intel's have some twenty. Finding a name twice costs their square.
)

var errJSON = errors.New("not strict JSON")

// scanner reads strict JSON (RFC 8259): valid UTF-8, no duplicate names, bounded nesting, nothing after the value.
// Numbers are read only where they are non-negative integers without fraction or exponent.
type scanner struct {
	s     []byte
	i     int
	depth int
}

// parseJSON runs read over one complete value.
func parseJSON(text []byte, read func(s *scanner) error) error {
	if !utf8.Valid(text) {
		return errJSON
	}
	s := &scanner{s: text}
	s.space()
	if err := read(s); err != nil {
		return err
	}
	s.space()
	if s.i != len(s.s) {
		return errJSON
	}
	return nil
}

func (s *scanner) space() {
	for s.i < len(s.s) {
		switch s.s[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// is consumes one byte if it is next.
func (s *scanner) is(c byte) bool {
	if s.i < len(s.s) && s.s[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) enter() error {
	s.depth++
	if s.depth > maxDepth {
		return errJSON
	}
	return nil
}

// object calls member for each name; member must consume the value.
func (s *scanner) object(member func(name []byte) error) error {
	if !s.is('{') || s.enter() != nil {
		return errJSON
	}
	var few [24][]byte // names seen; more spill to the heap
	names := few[:0]
	s.space()
	if s.is('}') {
		s.depth--
		return nil
	}
	for {
		s.space()
		name, err := s.bytes()
		if err != nil {
			return err
		}
		for _, n := range names {
			if string(n) == string(name) {
				return errJSON
			}
		}
		if names = append(names, name); len(names) > maxMembers {
			return errJSON
		}
		s.space()
		if !s.is(':') {
			return errJSON
		}
		s.space()
		if err := member(name); err != nil {
			return err
		}
		s.space()
		if s.is('}') {
			s.depth--
			return nil
		}
		if !s.is(',') {
			return errJSON
		}
	}
}

// array calls element for each element; element must consume it.
func (s *scanner) array(element func() error) error {
	if !s.is('[') || s.enter() != nil {
		return errJSON
	}
	s.space()
	if s.is(']') {
		s.depth--
		return nil
	}
	for {
		s.space()
		if err := element(); err != nil {
			return err
		}
		s.space()
		if s.is(']') {
			s.depth--
			return nil
		}
		if !s.is(',') {
			return errJSON
		}
	}
}

// bytes reads a string; without escapes the result lies in the input.
func (s *scanner) bytes() ([]byte, error) {
	if !s.is('"') {
		return nil, errJSON
	}
	start := s.i
	for s.i < len(s.s) {
		switch c := s.s[s.i]; {
		case c == '"':
			s.i++
			return s.s[start : s.i-1], nil
		case c == '\\':
			return s.escaped(start)
		case c < 0x20:
			return nil, errJSON
		}
		s.i++
	}
	return nil, errJSON
}

// escaped reads the rest of a string that has escapes.
func (s *scanner) escaped(start int) ([]byte, error) {
	out := make([]byte, s.i-start, len(s.s)-start)
	copy(out, s.s[start:s.i])
	for s.i < len(s.s) {
		c := s.s[s.i]
		s.i++
		switch {
		case c == '"':
			return out, nil
		case c < 0x20:
			return nil, errJSON
		case c != '\\':
			out = append(out, c)
		default:
			var err error
			if out, err = s.escape(out); err != nil {
				return nil, err
			}
		}
	}
	return nil, errJSON
}

func (s *scanner) escape(out []byte) ([]byte, error) {
	if s.i >= len(s.s) {
		return nil, errJSON
	}
	c := s.s[s.i]
	s.i++
	switch c {
	case '"', '\\', '/':
		return append(out, c), nil
	case 'n':
		return append(out, '\n'), nil
	case 't':
		return append(out, '\t'), nil
	case 'r':
		return append(out, '\r'), nil
	case 'b':
		return append(out, '\b'), nil
	case 'f':
		return append(out, '\f'), nil
	case 'u':
		return s.unicode(out)
	}
	return nil, errJSON
}

// unicode reads the digits after \u; surrogates must come in pairs.
func (s *scanner) unicode(out []byte) ([]byte, error) {
	r, ok := s.four()
	if !ok {
		return nil, errJSON
	}
	if utf16.IsSurrogate(r) {
		if !s.is('\\') || !s.is('u') {
			return nil, errJSON
		}
		low, ok := s.four()
		if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
			return nil, errJSON
		}
	}
	return utf8.AppendRune(out, r), nil
}

func (s *scanner) four() (rune, bool) {
	var b [2]byte
	if s.i+4 > len(s.s) {
		return 0, false
	}
	if _, err := hex.Decode(b[:], s.s[s.i:s.i+4]); err != nil {
		return 0, false
	}
	s.i += 4
	return rune(b[0])<<8 | rune(b[1]), true
}
