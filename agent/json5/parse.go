package json5

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxDepth = 64

// ParseError says where a text stops being JSON5.
type ParseError struct {
	Line, Column int // from 1; the column counts characters
	Message      string
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Parse reads one JSON5 value (https://spec.json5.org, a superset of JSON) and nothing after it. A byte order mark is
// skipped. Of members with the same name the last one counts, as in JSON.parse. Infinity and NaN are errors, because
// JSON cannot carry them.
func Parse(data []byte) (Value, error) {
	p := &parser{src: strings.TrimPrefix(string(data), "\ufeff")}
	if !utf8.ValidString(p.src) {
		return Value{}, errors.New("the text is not UTF-8")
	}
	v, err := p.document()
	if err != nil {
		return Value{}, p.located(err)
	}
	return v, nil
}

type parser struct {
	src   string
	pos   int
	depth int
}

func (p *parser) located(err error) error {
	before := p.src[:min(p.pos, len(p.src))]
	line := strings.Count(before, "\n")
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return &ParseError{Line: line + 1, Column: column + 1, Message: err.Error()}
}

func (p *parser) document() (Value, error) {
	v, err := p.value()
	if err != nil {
		return v, err
	}
	if err := p.space(); err != nil {
		return v, err
	}
	if p.pos < len(p.src) {
		return v, fmt.Errorf("expected the end of the file, found %s", p.here())
	}
	return v, nil
}

// here names what stands at the current position.
func (p *parser) here() string {
	if p.pos >= len(p.src) {
		return "the end of the file"
	}
	r, _ := utf8.DecodeRuneInString(p.src[p.pos:])
	return strconv.QuoteRune(r)
}

func (p *parser) peek() byte {
	if p.pos >= len(p.src) {
		return 0
	}
	return p.src[p.pos]
}

// space skips white space and comments.
func (p *parser) space() error {
	for p.pos < len(p.src) {
		rest := p.src[p.pos:]
		r, n := utf8.DecodeRuneInString(rest)
		switch {
		case unicode.IsSpace(r) || r == '\ufeff':
			p.pos += n
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexAny(rest, "\n\r")
			if end < 0 {
				end = len(rest)
			}
			p.pos += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest, "*/")
			if end < 0 {
				return errors.New("the comment that begins here does not end")
			}
			p.pos += end + 2
		default:
			return nil
		}
	}
	return nil
}

func (p *parser) value() (Value, error) {
	if err := p.space(); err != nil {
		return Value{}, err
	}
	switch c := p.peek(); {
	case c == '{' || c == '[':
		return p.nested(c)
	case c == '"' || c == '\'':
		s, err := p.quoted()
		return Str(s), err
	case c == '-' || c == '+' || c == '.' || c >= '0' && c <= '9':
		return p.number()
	}
	return p.word()
}

func (p *parser) nested(open byte) (Value, error) {
	if p.depth++; p.depth > maxDepth {
		return Value{}, fmt.Errorf("more than %d levels of nesting", maxDepth)
	}
	defer func() { p.depth-- }()
	p.pos++
	if open == '{' {
		return p.object()
	}
	return p.array()
}

func (p *parser) array() (Value, error) {
	v := Value{Kind: Array, Items: []Value{}}
	for {
		if err := p.space(); err != nil {
			return v, err
		}
		if p.peek() == ']' {
			p.pos++
			return v, nil
		}
		item, err := p.value()
		if err != nil {
			return v, err
		}
		v.Items = append(v.Items, item)
		if err := p.comma(']'); err != nil {
			return v, err
		}
	}
}

func (p *parser) object() (Value, error) {
	v := Value{Kind: Object}
	at := map[string]int{}
	for {
		if err := p.space(); err != nil {
			return v, err
		}
		if p.peek() == '}' {
			p.pos++
			return v, nil
		}
		m, err := p.member()
		if err != nil {
			return v, err
		}
		if i, again := at[m.Name]; again {
			v.Members[i] = m
		} else {
			at[m.Name] = len(v.Members)
			v.Members = append(v.Members, m)
		}
		if err := p.comma('}'); err != nil {
			return v, err
		}
	}
}

func (p *parser) member() (Member, error) {
	name, err := p.name()
	if err != nil {
		return Member{}, err
	}
	if err := p.space(); err != nil {
		return Member{}, err
	}
	if p.peek() != ':' {
		return Member{}, fmt.Errorf("expected ':' after the name %.40q, found %s", name, p.here())
	}
	p.pos++
	v, err := p.value()
	return Member{name, v}, err
}

// comma accepts a comma, or leaves the closing bracket for the caller.
func (p *parser) comma(closing byte) error {
	if err := p.space(); err != nil {
		return err
	}
	switch p.peek() {
	case ',':
		p.pos++
		return nil
	case closing:
		return nil
	}
	return fmt.Errorf("expected ',' or %q, found %s", closing, p.here())
}

func (p *parser) name() (string, error) {
	if c := p.peek(); c == '"' || c == '\'' {
		return p.quoted()
	}
	start := p.pos
	for p.pos < len(p.src) {
		r, n := utf8.DecodeRuneInString(p.src[p.pos:])
		if r != '_' && r != '$' && !unicode.IsLetter(r) && (p.pos == start || !unicode.IsDigit(r)) {
			break
		}
		p.pos += n
	}
	if p.pos == start {
		return "", fmt.Errorf("expected a member name, found %s", p.here())
	}
	return p.src[start:p.pos], nil
}

func (p *parser) word() (Value, error) {
	start := p.pos
	for p.pos < len(p.src) && (p.src[p.pos] >= 'A' && p.src[p.pos] <= 'Z' || p.src[p.pos] >= 'a' && p.src[p.pos] <= 'z') {
		p.pos++
	}
	switch word := p.src[start:p.pos]; word {
	case "null":
		return Value{}, nil
	case "true", "false":
		return Value{Kind: Bool, Bool: word == "true"}, nil
	default:
		p.pos = start
		if word == "" {
			return Value{}, fmt.Errorf("expected a value, found %s", p.here())
		}
		return Value{}, fmt.Errorf("expected a value, found the word %.40q (a text needs quotes)", word)
	}
}
