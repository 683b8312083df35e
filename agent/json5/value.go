// Package json5 reads JSON and JSON5 into an ordered tree and writes it back as plain JSON, so that a character file
// keeps its unknown members and their order. It trusts nothing: depth and size are bounded, and every error names
// line and column.
package json5

import (
	"fmt"
	"slices"
	"strconv"
)

// Kind is the type of a Value, in JSON's words.
type Kind uint8

// The zero Kind is Null, as the zero Value is null.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

func (k Kind) String() string {
	return [...]string{"null", "boolean", "number", "string", "array", "object"}[k]
}

// Value is one JSON value. Only the field of its Kind is set.
type Value struct {
	Kind    Kind
	Bool    bool
	Text    string // String: the decoded text; Number: its literal in JSON's grammar
	Items   []Value
	Members []Member // in the order of the file
}

// Member is one name of an object with its value.
type Member struct {
	Name  string
	Value Value
}

// Str makes a string value.
func Str(s string) Value { return Value{Kind: String, Text: s} }

// Get returns the member called name; ok is false if v is no object or has none.
func (v Value) Get(name string) (Value, bool) {
	for _, m := range v.Members {
		if m.Name == name {
			return m.Value, true
		}
	}
	return Value{}, false
}

// Path follows names through objects; a missing step gives null.
func (v Value) Path(names ...string) Value {
	for _, name := range names {
		v, _ = v.Get(name)
	}
	return v
}

// Set returns v, an object, with the member called name set, at its old place or at the end. It copies the member list.
func (v Value) Set(name string, to Value) Value {
	v.Kind = Object
	v.Members = slices.Clone(v.Members)
	for i := range v.Members {
		if v.Members[i].Name == name {
			v.Members[i].Value = to
			return v
		}
	}
	v.Members = append(v.Members, Member{name, to})
	return v
}

// Without returns v without the members whose names drop says.
func (v Value) Without(drop func(name string) bool) Value {
	var kept []Member
	for _, m := range v.Members {
		if !drop(m.Name) {
			kept = append(kept, m)
		}
	}
	v.Members = kept
	return v
}

// Strings returns the strings of an array, or the one string itself; everything else is left out.
func (v Value) Strings() []string {
	if v.Kind == String {
		return []string{v.Text}
	}
	var list []string
	for _, item := range v.Items {
		if item.Kind == String {
			list = append(list, item.Text)
		}
	}
	return list
}

// Truthy is JavaScript's notion: null, false, 0 and "" are not.
func (v Value) Truthy() bool {
	switch v.Kind {
	case Null:
		return false
	case Bool:
		return v.Bool
	case Number:
		f, err := strconv.ParseFloat(v.Text, 64)
		return err == nil && f != 0
	case String:
		return v.Text != ""
	}
	return true
}

// Append writes v as compact JSON the way JSON.stringify does: no HTML escaping, U+2028 and U+2029 as they are.
func (v Value) Append(dst []byte) []byte {
	switch v.Kind {
	case Bool:
		return strconv.AppendBool(dst, v.Bool)
	case Number:
		return append(dst, v.Text...)
	case String:
		return AppendString(dst, v.Text)
	case Array:
		dst = append(dst, '[')
		for i, item := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = item.Append(dst)
		}
		return append(dst, ']')
	case Object:
		return v.appendObject(dst)
	}
	return append(dst, "null"...)
}

func (v Value) appendObject(dst []byte) []byte {
	dst = append(dst, '{')
	for i, m := range v.Members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, m.Name)
		dst = append(dst, ':')
		dst = m.Value.Append(dst)
	}
	return append(dst, '}')
}

// MarshalJSON makes a Value usable inside encoding/json.
func (v Value) MarshalJSON() ([]byte, error) { return v.Append(nil), nil }

// AppendString writes s as JSON.stringify would; a lone surrogate, kept by Parse as its three WTF-8 bytes,
// comes out as \udXXX.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= 0x20 && !surrogateAt(s, i):
			dst = append(dst, c)
		case c >= 0x20:
			r := 0xD000 | rune(s[i+1]&0x3F)<<6 | rune(s[i+2]&0x3F)
			dst = fmt.Appendf(dst, `\u%04x`, r)
			i += 2
		default:
			dst = appendControl(dst, c)
		}
	}
	return append(dst, '"')
}

// surrogateAt tells whether the three bytes at i encode a surrogate (ED A0..BF xx).
func surrogateAt(s string, i int) bool {
	return s[i] == 0xED && i+2 < len(s) && s[i+1] >= 0xA0
}

func appendControl(dst []byte, c byte) []byte {
	switch c {
	case '\b':
		return append(dst, `\b`...)
	case '\t':
		return append(dst, `\t`...)
	case '\n':
		return append(dst, `\n`...)
	case '\f':
		return append(dst, `\f`...)
	case '\r':
		return append(dst, `\r`...)
	}
	return fmt.Appendf(dst, `\u%04x`, c)
}
