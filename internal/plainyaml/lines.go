package plainyaml

import (
	"strings"
	"unicode/utf8"
)

// line is one line of the text: its indentation in spaces and what follows.
type line struct {
	indent int
	text   string // without indentation; trailing spaces are kept
	number int    // from 1
}

// blank says whether nothing or only a comment stands on the line.
func (l line) blank() bool { return l.text == "" || l.text[0] == '#' }

// split cuts the text into lines and refuses characters that parsers disagree about.
func split(text string) ([]line, error) {
	var lines []line
	for i, raw := range strings.Split(text, "\n") {
		raw = strings.TrimSuffix(raw, "\r")
		if !utf8.ValidString(raw) {
			return nil, &Error{i + 1, "not UTF-8"}
		}
		for _, c := range raw {
			if c < 0x20 || c == 0x7f || c >= 0x80 && c <= 0x9f || c == 0x2028 || c == 0x2029 || c == 0xfeff || c >= 0xfffe && c <= 0xffff {
				return nil, &Error{i + 1, "tabs and control characters are not read here"}
			}
		}
		rest := strings.TrimLeft(raw, " ")
		lines = append(lines, line{len(raw) - len(rest), rest, i + 1})
	}
	return lines, nil
}
