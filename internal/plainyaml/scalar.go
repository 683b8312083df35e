package plainyaml

import (
	"strconv"
	"strings"
)

// inline reads a value that begins on the present line with this text. It leaves the line behind.
func (p *parser) inline(text string, parent, depth int) (*Node, error) {
	l := p.lines[p.at]
	switch text[0] {
	case '[', '{':
		return p.flow(text, parent, depth)
	case '|':
		return p.literal(text, parent)
	}
	p.at++
	n := &Node{Kind: Scalar, Line: l.number}
	if text[0] == '"' || text[0] == '\'' {
		value, end, err := quoted(text, l.number)
		if err != nil {
			return nil, err
		}
		n.Value = value
		return n, tail(text[end:], l.number)
	}
	plain, err := plainScalar(text, l.number)
	if err != nil {
		return nil, err
	}
	n.Value, n.Null = plain, null(plain)
	if n.Null {
		n.Value = plain
	}
	return n, p.deeper(parent)
}

// tail refuses anything but a comment after a value.
func tail(rest string, number int) error {
	trimmed := strings.TrimLeft(rest, " ")
	if trimmed == "" || trimmed[0] == '#' && len(trimmed) < len(rest) {
		return nil
	}
	return &Error{number, "something follows the value"}
}

// null is YAML's core schema.
func null(s string) bool { return s == "~" || s == "null" || s == "Null" || s == "NULL" || s == "" }

// plainScalar is an unquoted value of one line in a block.
func plainScalar(text string, number int) (string, error) {
	if err := plainStart(text, number); err != nil {
		return "", err
	}
	if i := strings.Index(text, " #"); i >= 0 {
		text = text[:i]
	}
	text = strings.TrimRight(text, " ")
	for i := range len(text) {
		if colon(text, i) {
			return "", &Error{number, "a colon inside an unquoted value: quote it"}
		}
	}
	return text, nil
}

// plainStart refuses what begins like another form of YAML.
func plainStart(text string, number int) error {
	switch text[0] {
	case '&', '*':
		return &Error{number, "anchors and aliases are not read here"}
	case '!':
		return &Error{number, "tags are not read here"}
	case '>':
		return &Error{number, "folded text is not read here: quote it or use |"}
	case '%', '@', '`', ',', ']', '}', '#', '?', ':', '|':
		return &Error{number, "an unquoted value begins with a sign: quote it"}
	}
	if text == "-" || strings.HasPrefix(text, "- ") || text == "<<" || text == "=" {
		return &Error{number, "an unquoted value begins with a sign: quote it"}
	}
	return nil
}

// quoted reads a quoted scalar of one line from the beginning of text and returns where it ends.
func quoted(text string, number int) (value string, end int, err error) {
	if text[0] == '\'' {
		return single(text, number)
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; c {
		case '"':
			return b.String(), i + 1, nil
		case '\\':
			n, err := escape(&b, text[i+1:], number)
			if err != nil {
				return "", 0, err
			}
			i += n
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, &Error{number, "a quoted value does not end on its line"}
}

func single(text string, number int) (string, int, error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != '\'' {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		return b.String(), i + 1, nil
	}
	return "", 0, &Error{number, "a quoted value does not end on its line"}
}

// escape writes one escaped character and returns how many bytes it took after the backslash.
func escape(b *strings.Builder, rest string, number int) (int, error) {
	simple := map[byte]string{'n': "\n", 't': "\t", 'r': "\r", '"': `"`, '\\': `\`, '/': "/", ' ': " "}
	if rest == "" {
		return 0, &Error{number, "a quoted value does not end on its line"}
	}
	if s, ok := simple[rest[0]]; ok {
		b.WriteString(s)
		return 1, nil
	}
	digits := map[byte]int{'x': 2, 'u': 4}[rest[0]]
	if digits == 0 || len(rest) <= digits {
		return 0, &Error{number, "an escape that is not read here"}
	}
	v, err := strconv.ParseUint(rest[1:1+digits], 16, 32)
	if err != nil || v == 0 || v >= 0xd800 && v <= 0xdfff {
		return 0, &Error{number, "an escape that is not read here"}
	}
	b.WriteRune(rune(v))
	return 1 + digits, nil
}

// literal reads a | scalar: the lines further in than its parent, as they are.
func (p *parser) literal(header string, parent int) (*Node, error) {
	number := p.lines[p.at].number
	chomp, rest := "", header[1:]
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		chomp, rest = rest[:1], rest[1:]
	}
	if err := tail(rest, number); err != nil {
		return nil, err
	}
	p.at++
	text, err := p.literalLines(parent)
	if err != nil {
		return nil, err
	}
	body := strings.TrimRight(text, "\n")
	switch {
	case chomp == "+":
		body = text
	case chomp == "" && body != "":
		body += "\n"
	}
	return &Node{Kind: Scalar, Value: body, Line: number}, nil
}

func (p *parser) literalLines(parent int) (string, error) {
	var b strings.Builder
	indent := -1
	for ; p.at < len(p.lines); p.at++ {
		l := p.lines[p.at]
		if p.at == len(p.lines)-1 && l.indent > max(parent, 0) {
			return "", &Error{l.number, "the last line of the text has no end"}
		}
		if l.text == "" {
			if l.indent > max(indent, 0) {
				return "", &Error{l.number, "a line of the text holds only spaces"}
			}
			if p.at < len(p.lines)-1 {
				b.WriteByte('\n')
			}
			continue
		}
		if indent < 0 {
			indent = l.indent
		}
		if l.indent <= parent {
			break
		}
		if l.indent < indent {
			return "", &Error{l.number, "a line of the text is indented less than its first"}
		}
		b.WriteString(strings.Repeat(" ", l.indent-indent) + l.text + "\n")
	}
	return b.String(), nil
}
