package dcap

import "encoding/hex"

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
