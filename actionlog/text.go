package actionlog

import "bytes"

// contains searches as SQLite's LIKE '%text%' does: ASCII letters compare alike, everything else byte by byte. With
// wildcards % stands for any bytes and _ for one character.
func contains(content []byte, text string, wildcards bool) bool {
	if !wildcards {
		return bytes.Contains(lower(content), lower([]byte(text)))
	}
	return like(append(append([]byte("%"), lower([]byte(text))...), '%'), lower(content))
}

func lower(b []byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		out[i] = c
	}
	return out
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
