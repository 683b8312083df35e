package json5

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

var (
	numberJSON = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	numberHex  = regexp.MustCompile(`^-?0[xX][0-9a-fA-F]{1,32}$`)
)

func (p *parser) number() (Value, error) {
	start := p.pos
	for p.pos < len(p.src) && strings.IndexByte("+-.0123456789abcdefABCDEFxXINnity", p.src[p.pos]) >= 0 {
		p.pos++
	}
	text := strings.TrimPrefix(p.src[start:p.pos], "+")
	if numberHex.MatchString(text) {
		n, _ := new(big.Int).SetString(text, 0)
		return Value{Kind: Number, Text: n.String()}, nil
	}
	if plain := plainNumber(text); numberJSON.MatchString(plain) {
		return Value{Kind: Number, Text: plain}, nil
	}
	p.pos = start
	return Value{}, fmt.Errorf("%.40q is not a number", text)
}

// plainNumber turns JSON5's ".5" and "5." into JSON's "0.5" and "5".
func plainNumber(text string) string {
	sign := ""
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		sign, text = "-", rest
	}
	if strings.HasPrefix(text, ".") {
		text = "0" + text
	}
	mantissa, exponent := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent = text[:i], text[i:]
	}
	return sign + strings.TrimSuffix(mantissa, ".") + exponent
}

// quoted reads a string in either quote. Line breaks inside are errors, as in JSON, except after a backslash.
func (p *parser) quoted() (string, error) {
	quote, start := p.src[p.pos], p.pos
	p.pos++
	var out []byte
	for p.pos < len(p.src) {
		c := p.src[p.pos]
		switch {
		case c == quote:
			p.pos++
			return string(out), nil
		case c == '\\':
			var err error
			if out, err = p.escape(out); err != nil {
				return "", err
			}
		case c == '\n' || c == '\r':
			return "", errors.New("a line break inside a string (write \\n)")
		default:
			out = append(out, c)
			p.pos++
		}
	}
	p.pos = start
	return "", errors.New("the string that begins here does not end")
}

func (p *parser) escape(out []byte) ([]byte, error) {
	if p.pos+1 >= len(p.src) {
		return out, errors.New("the file ends inside an escape")
	}
	c := p.src[p.pos+1]
	switch c {
	case 'u':
		return p.unicodeEscape(out)
	case 'x':
		r, err := p.hex(p.pos+2, 2)
		p.pos += 4
		return utf8.AppendRune(out, r), err
	case '\r':
		p.pos += 2
		if p.peek() == '\n' {
			p.pos++
		}
		return out, nil
	case '\n':
		p.pos += 2
		return out, nil
	}
	if i := strings.IndexByte("bfnrtv0", c); i >= 0 {
		p.pos += 2
		return append(out, "\b\f\n\r\t\v\x00"[i]), nil
	}
	if c >= '1' && c <= '9' {
		return out, fmt.Errorf("the escape \\%c is not allowed", c)
	}
	_, n := utf8.DecodeRuneInString(p.src[p.pos+1:])
	out = append(out, p.src[p.pos+1:p.pos+1+n]...)
	p.pos += 1 + n
	return out, nil
}

// unicodeEscape reads \uXXXX and joins surrogate pairs; a lone surrogate becomes its three WTF-8 bytes.
func (p *parser) unicodeEscape(out []byte) ([]byte, error) {
	r, err := p.hex(p.pos+2, 4)
	if err != nil {
		return out, err
	}
	p.pos += 6
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(out, r), nil
	}
	if strings.HasPrefix(p.src[p.pos:], `\u`) {
		if low, err := p.hex(p.pos+2, 4); err == nil {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				p.pos += 6
				return utf8.AppendRune(out, pair), nil
			}
		}
	}
	return append(out, 0xE0|byte(r>>12), 0x80|byte(r>>6&0x3F), 0x80|byte(r&0x3F)), nil
}

func (p *parser) hex(at, digits int) (rune, error) {
	if at+digits > len(p.src) {
		return 0, errors.New("the file ends inside an escape")
	}
	n, err := strconv.ParseUint(p.src[at:at+digits], 16, 32)
	if err != nil {
		return 0, fmt.Errorf("%.8q are not %d hex digits", p.src[at:at+digits], digits)
	}
	return rune(n), nil
}
