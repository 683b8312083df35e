// Package problem writes the errors of Teapot's own routes: RFC 9457 problem documents that name the cause and the next step.
//
// It trusts nothing: what it writes is what the caller gives, cut to a bounded length, so foreign text cannot flood a reader.
package problem

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// maxText bounds foreign text in an answer, in bytes.
const maxText = 512

// Details is the problem document. Next tells the reader what to do now.
type Details struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Cause  string `json:"cause,omitempty"`
	Next   string `json:"next,omitempty"`
}

// Write answers with a problem. Cause says why, next says what to do; both are for a person.
func Write(w http.ResponseWriter, status int, title, cause, next string) {
	d := Details{Type: "about:blank", Title: title, Status: status, Cause: clip(cause), Next: clip(next)}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)              // app/<name> is to be read as it is
	if err := enc.Encode(d); err != nil { // strings and an int can always be written
		panic("internal: " + err.Error())
	}
	body := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone; nothing to tell it
}

func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	return s[:maxText] + "…"
}
