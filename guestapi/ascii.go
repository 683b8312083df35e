package guestapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// asciiJSON is compact JSON in ASCII only: the JavaScript clients compare a string length with Content-Length on unix sockets
// and hang for 30 seconds over one letter outside ASCII.
func asciiJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return escapeNonASCII(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))), nil
}

func escapeNonASCII(raw []byte) []byte {
	first := bytes.IndexFunc(raw, func(r rune) bool { return r >= utf8.RuneSelf })
	if first < 0 {
		return raw
	}
	out := append(make([]byte, 0, len(raw)+64), raw[:first]...)
	for _, r := range string(raw[first:]) {
		switch {
		case r < utf8.RuneSelf:
			out = append(out, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}
