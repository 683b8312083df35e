package actionlog

import "bytes"

// pattern searches as SQLite's LIKE '%text%' does: ASCII letters compare alike, everything else byte by byte. With
// wildcards % stands for any bytes and _ for one character.
type pattern struct {
	parts [][]byte // each must follow the one before it; cut at the %
	one   bool     // _ is a wildcard
}

// maxOnes bounds a part of a pattern that has wildcards for one character: unlike all else it is compared anew at every place, and
// strangers write both the pattern and what is searched.
const maxOnes = 256

func newPattern(text string, wildcards bool) pattern {
	folded := lower(nil, []byte(text))
	if !wildcards {
		return pattern{[][]byte{folded}, false}
	}
	return pattern{bytes.Split(folded, []byte("%")), true}
}

// check refuses what would take long to compare.
func (p pattern) check() error {
	for _, part := range p.parts {
		if p.one && len(part) > maxOnes && bytes.IndexByte(part, '_') >= 0 {
			return invalid("a searched text with _ has %d bytes between two %%, the limit is %d", len(part), maxOnes)
		}
	}
	return nil
}

// in says whether content holds the pattern; scratch is memory to use again. It takes time in proportion to the content, but for parts
// with _.
func (p pattern) in(content, scratch []byte) (bool, []byte) {
	scratch = lower(scratch[:0], content)
	rest := scratch
	for _, part := range p.parts {
		end := -1
		if p.one && bytes.IndexByte(part, '_') >= 0 {
			end = endOf(part, rest)
		} else if at := bytes.Index(rest, part); at >= 0 {
			end = at + len(part)
		}
		if end < 0 {
			return false, scratch
		}
		rest = rest[end:]
	}
	return true, scratch
}

func lower(dst, b []byte) []byte {
	for _, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// endOf finds the first place in text where a part with _ matches, and returns where that match ends; -1: nowhere.
func endOf(part, text []byte) int {
	for start := 0; start < len(text); start = next(text, start) {
		if n := prefix(part, text[start:]); n >= 0 {
			return start + n
		}
	}
	return -1
}

// prefix returns how many bytes of text a part takes at its beginning; -1: it does not match there.
func prefix(part, text []byte) int {
	t := 0
	for _, c := range part {
		switch {
		case t == len(text):
			return -1
		case c == '_':
			t = next(text, t)
		case c == text[t]:
			t++
		default:
			return -1
		}
	}
	return t
}

// next steps over one UTF-8 character.
func next(b []byte, i int) int {
	i++
	for i < len(b) && b[i]&0xc0 == 0x80 {
		i++
	}
	return i
}
