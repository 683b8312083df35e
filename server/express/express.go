// Package express answers as Eliza's Express server does: JSON as JSON.stringify writes it, errors as {"error": …}. It trusts
// nothing and reads nothing.
package express

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// Encode writes JSON as JSON.stringify does: no HTML escaping, U+2028 and U+2029 as they are.
func Encode(v any) ([]byte, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return unescape([]byte(strings.TrimSuffix(b.String(), "\n"))), nil
}

// unescape turns \u2028 and \u2029, which encoding/json always escapes, into the characters; an escaped backslash
// before "u2028" is left alone.
func unescape(b []byte) []byte {
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+5 < len(b) && (string(b[i:i+6]) == `\u2028` || string(b[i:i+6]) == `\u2029`) {
			out = append(out, 0xE2, 0x80, 0xA0|b[i+5]&0x0F)
			i += 5
			continue
		}
		out = append(out, b[i])
		if b[i] == '\\' && i+1 < len(b) {
			i++
			out = append(out, b[i])
		}
	}
	return out
}

// JSON answers with a value.
func JSON(w http.ResponseWriter, status int, v any) {
	body, err := Encode(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"the answer could not be written"}`)
	}
	Raw(w, status, body)
}

// Raw answers with JSON that is written already.
func Raw(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	send(w, status, body)
}

// Fail answers Eliza's {"error": …}.
func Fail(w http.ResponseWriter, status int, why string) {
	JSON(w, status, map[string]string{"error": why})
}

// Text answers as Express's res.send(string) does. Callers never pass markup.
func Text(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	send(w, status, []byte(body))
}

func send(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone; nothing to tell it
}
