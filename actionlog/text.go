package actionlog

import "bytes"

// pattern searches as SQLite's LIKE '%text%' does: ASCII letters compare alike, everything else byte by byte. With
// wildcards % stands for any bytes and _ for one character.
type pattern struct {
	text      []byte
	wildcards bool
}

func newPattern(text string, wildcards bool) pattern {
	p := pattern{lower(nil, []byte(text)), wildcards}
	if wildcards {
		p.text = append(append([]byte("%"), p.text...), '%')
	}
	return p
}

// in says whether content holds the pattern; scratch is memory to use again.
func (p pattern) in(content, scratch []byte) (bool, []byte) {
	scratch = lower(scratch[:0], content)
	if p.wildcards {
		return like(p.text, scratch), scratch
	}
	return bytes.Contains(scratch, p.text), scratch
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

// like matches in time len(pattern)·len(text): it goes back to the last % only.
func like(pattern, text []byte) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '%':
			star, mark = p, t
			p++
		case p < len(pattern) && pattern[p] == '_':
			p++
			t = next(text, t)
		case p < len(pattern) && pattern[p] == text[t]:
			p, t = p+1, t+1
		case star >= 0:
			mark = next(text, mark)
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '%' {
		p++
	}
	return p == len(pattern)
}

// next steps over one UTF-8 character.
func next(b []byte, i int) int {
	i++
	for i < len(b) && b[i]&0xc0 == 0x80 {
		i++
	}
	return i
}
