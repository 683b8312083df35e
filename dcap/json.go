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

func (s *scanner) text(into *string) error {
	b, err := s.bytes()
	*into = string(b)
	return err
}

// number reads a non-negative integer not above limit.
func (s *scanner) number(limit uint64) (uint64, error) {
	start, v := s.i, uint64(0)
	for s.i < len(s.s) && s.s[s.i] >= '0' && s.s[s.i] <= '9' {
		v = v*10 + uint64(s.s[s.i]-'0')
		if v > limit {
			return 0, errJSON
		}
		s.i++
	}
	n := s.i - start
	if n == 0 || n > 1 && s.s[start] == '0' {
		return 0, errJSON
	}
	if s.i < len(s.s) { // fraction or exponent
		switch s.s[s.i] {
		case '.', 'e', 'E':
			return 0, errJSON
		}
	}
	return v, nil
}

// hex reads a string of exactly as many bytes in hex, either case.
func (s *scanner) hex(into []byte) error {
	b, err := s.bytes()
	if err != nil || len(b) != 2*len(into) {
		return errJSON
	}
	_, err = hex.Decode(into, b)
	return err
}

// date reads YYYY-MM-DDTHH:MM:SSZ as Unix seconds.
func (s *scanner) date(into *int64) error {
	b, err := s.bytes()
	if err != nil || len(b) != 20 || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' || b[19] != 'Z' {
		return errJSON
	}
	var v [6]int
	for i, at := range [6][2]int{{0, 4}, {5, 7}, {8, 10}, {11, 13}, {14, 16}, {17, 19}} {
		n, ok := digits(b[at[0]:at[1]])
		if !ok {
			return errJSON
		}
		v[i] = n
	}
	var ok bool
	if *into, ok = unix(v[0], v[1], v[2], v[3], v[4], v[5]); !ok {
		return errJSON
	}
	return nil
}

// strings reads an array of strings.
func (s *scanner) strings(into *[]string) error {
	return s.array(func() error {
		var v string
		err := s.text(&v)
		*into = append(*into, v)
		return err
	})
}

// skip reads any value and checks its syntax.
func (s *scanner) skip() error {
	if s.i >= len(s.s) {
		return errJSON
	}
	switch c := s.s[s.i]; c {
	case '{':
		return s.object(func([]byte) error { return s.skip() })
	case '[':
		return s.array(s.skip)
	case '"':
		_, err := s.bytes()
		return err
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	return s.anyNumber()
}

func (s *scanner) literal(word string) error {
	if len(s.s)-s.i < len(word) || string(s.s[s.i:s.i+len(word)]) != word {
		return errJSON
	}
	s.i += len(word)
	return nil
}

func (s *scanner) anyNumber() error {
	s.is('-')
	if !s.is('0') && !s.digits() {
		return errJSON
	}
	if s.is('.') && !s.digits() {
		return errJSON
	}
	if s.is('e') || s.is('E') {
		if !s.is('+') {
			s.is('-')
		}
		if !s.digits() {
			return errJSON
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.s) && s.s[s.i] >= '0' && s.s[s.i] <= '9' {
		s.i++
	}
	return s.i > start
}
