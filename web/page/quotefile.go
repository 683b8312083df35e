package page

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"github.com/teapot-tee/teapot/bundle"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/tlog"
)

// material is what a reader's files say about one quote. Nothing in it is verified.
type material struct {
	quote      []byte
	collateral json.RawMessage // dcap-qvl JSON
	eventLog   json.RawMessage // dstack's JSON array
	evidence   *evidence.Evidence
}

var errNoQuote = errors.New("no quote found: give its bytes, hex, base64, the JSON around it, evidence, a bundle or a receipt")

// open looks through files in the order given; the first quote counts, and collateral may lie in a file of its own.
func open(files [][]byte) (*material, error) {
	m := new(material)
	for _, f := range files {
		m.take(f)
	}
	if m.quote == nil {
		return nil, errNoQuote
	}
	return m, nil
}

func (m *material) take(f []byte) {
	text := bytes.TrimSpace(f)
	switch {
	case bytes.HasPrefix(f, []byte(bundle.Magic)):
		m.bundle(f)
	case len(text) > 0 && text[0] == '{':
		m.json(text)
	case m.quote == nil && binary(f):
		m.quote = f
	case m.quote == nil:
		m.quote = fromText(string(text))
	}
}

// binary says whether the bytes begin like a quote header: version 3 to 5, little-endian.
func binary(f []byte) bool { return len(f) >= 48 && f[0] >= 3 && f[0] <= 5 && f[1] == 0 }

func (m *material) bundle(f []byte) {
	r, err := bundle.NewReader(bytes.NewReader(f))
	if err != nil || len(r.Evidence) == 0 {
		return
	}
	m.document(r.Evidence[len(r.Evidence)-1])
	if len(m.collateral) == 0 && len(r.Collateral) > 0 {
		m.collateral = r.Collateral[len(r.Collateral)-1]
	}
}

func (m *material) document(raw []byte) {
	e, err := evidence.ParseEvidence(raw)
	if err != nil {
		return
	}
	m.evidence, m.quote, m.eventLog = e, e.Quote, e.EventLog
	if len(e.Collateral) > 0 {
		m.collateral = e.Collateral
	}
}

func (m *material) json(text []byte) {
	switch bundle.Detect(text) {
	case bundle.FormEvidence:
		m.document(text)
		return
	case bundle.FormReceipt:
		if r, err := tlog.ParseReceipt(text); err == nil {
			m.document(r.Evidence)
		}
		return
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(text, &all) != nil {
		return
	}
	if _, ok := all["tcb_info"]; ok {
		m.collateral = text
	}
	m.members(all, 0)
}

// members looks for a quote, its collateral and its event log in the JSON of dstack, tappd, Phala and Eliza.
func (m *material) members(all map[string]json.RawMessage, depth int) {
	for _, name := range []string{"quote", "intel_quote", "attestation", "data", "result"} {
		var text string
		var inner map[string]json.RawMessage
		switch raw := all[name]; {
		case raw == nil || depth > 3:
		case json.Unmarshal(raw, &text) == nil:
			m.textMember(text, depth)
		case json.Unmarshal(raw, &inner) == nil:
			m.members(inner, depth+1)
		}
	}
	if raw := all["collateral"]; len(raw) > 0 && len(m.collateral) == 0 {
		m.collateral = raw
	}
	if raw := all["event_log"]; len(raw) > 0 && len(m.eventLog) == 0 {
		m.eventLog = unquoted(raw)
	}
}

func (m *material) textMember(text string, depth int) {
	var inner map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &inner) == nil { // Eliza's attestation is JSON in a string
		m.members(inner, depth+1)
	} else if m.quote == nil {
		m.quote = fromText(text)
	}
}

// unquoted opens a JSON text inside a JSON string, as dstack sends its event log.
func unquoted(raw json.RawMessage) json.RawMessage {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return json.RawMessage(text)
	}
	return raw
}

// fromText finds a quote in a text: all of it in hex or base64, or the longest run of hex digits, as in a log file.
// Nil when there is none.
func fromText(text string) []byte {
	joined := strings.Join(strings.Fields(text), "")
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if b, err := e.DecodeString(joined); err == nil && binary(b) {
			return b
		}
	}
	digits := strings.TrimPrefix(strings.Trim(joined, `"',;`), "0x")
	if strings.Trim(digits, hexDigits) != "" {
		digits = longestRun(text)
	}
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) < 48 {
		return nil
	}
	return b
}

const hexDigits = "0123456789abcdefABCDEF"

func longestRun(text string) string {
	longest := ""
	for _, run := range strings.FieldsFunc(text, func(r rune) bool { return !strings.ContainsRune(hexDigits, r) }) {
		if len(run) > len(longest) {
			longest = run
		}
	}
	return longest
}
