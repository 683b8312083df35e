package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/teapot-tee/teapot/evidence"
)

// bundleMagic begins a bundle (docs/formats/bundle.md).
const bundleMagic = "TEAPOT-BUNDLE\x00"

// HeadSize is how many bytes Recognise wants to see.
const HeadSize = 64 << 10

// Types of JSON documents that can be judged.
const (
	receiptType = "teapot/receipt/v1"
	// ForkType is portable evidence that a log forked or was rolled back (docs/formats/fork.md).
	ForkType = "teapot/fork/v1"
)

// KindEvidence is an Evidence document by itself.
const KindEvidence Kind = "evidence"

// noun is what a person calls a target of this kind.
func (k Kind) noun() string {
	switch k {
	case KindURL:
		return "address"
	case KindPeer:
		return "connection"
	case KindEvidence:
		return "evidence document"
	}
	return string(k)
}

// Recognise says what a file is by its first bytes, never by its name. The error says what it looks like instead.
func Recognise(head []byte) (Kind, error) {
	text := bytes.TrimSpace(head)
	switch {
	case len(text) == 0:
		return "", errors.New("it is empty")
	case bytes.HasPrefix(head, []byte(bundleMagic)):
		return KindBundle, nil
	case bytes.HasPrefix([]byte(bundleMagic), head):
		return "", errors.New("it is a bundle cut off in its first bytes")
	case bytes.HasPrefix(text, []byte("c2sp.org/tlog-proof@")):
		return "", errors.New("it is a C2SP tlog-proof, which proves one entry to any tlog verifier but brings no evidence: judge the entry's receipt instead (GET /v1/agents/ID/receipts/INDEX)")
	case isHTML(text):
		return "", errors.New("it is a web page (HTML): save the bundle, receipt or quote itself, not the page around it")
	case text[0] == '{':
		return recogniseJSON(text)
	case bytes.HasPrefix(text, []byte("PK\x03\x04")), bytes.HasPrefix(text, []byte("\x1f\x8b")):
		return "", errors.New("it is compressed: unpack it first")
	case isBinary(text) && (len(head) < 2 || head[1] != 0):
		return "", errors.New("it is binary and begins neither like a bundle nor like a quote")
	}
	return KindQuote, nil // hex, base64 or binary: package dcap says whether it is one
}

// isBinary says whether the first bytes are no text. A binary quote is: its version is a u16, little-endian, below 256.
func isBinary(text []byte) bool {
	return bytes.ContainsFunc(text[:min(len(text), 64)], func(r rune) bool { return r == utf8.RuneError || r < ' ' && r != '\t' && r != '\n' && r != '\r' })
}

func isHTML(text []byte) bool {
	start := strings.ToLower(string(text[:min(len(text), 64)]))
	return strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html") || strings.HasPrefix(start, "<head")
}

// recogniseJSON reads the member "type", wherever it stands among the first bytes.
func recogniseJSON(text []byte) (Kind, error) {
	name, err := typeMember(text)
	if err != nil {
		return "", err
	}
	switch name {
	case receiptType:
		return KindReceipt, nil
	case ForkType:
		return KindFork, nil
	case evidence.DocumentType:
		return KindEvidence, nil
	case "":
		return KindQuote, nil // JSON around a quote, as dstack's and Phala's answers are
	}
	if strings.HasPrefix(name, "teapot/") {
		return "", fmt.Errorf("it is a %q document, which cannot be judged by itself or is newer than this teapot", Clean(name))
	}
	return KindQuote, nil
}

func typeMember(text []byte) (string, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	if _, err := dec.Token(); err != nil {
		return "", fmt.Errorf("it begins like JSON but is none: %w", err)
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return "", fmt.Errorf("it begins like JSON but breaks off at byte %d", dec.InputOffset())
		}
		if key == "type" {
			var name string
			if err := dec.Decode(&name); err != nil {
				return "", nil //nolint:nilerr // another kind of "type": not one of ours
			}
			return name, nil
		}
		var skip json.RawMessage
		if err := dec.Decode(&skip); err != nil {
			return "", nil //nolint:nilerr // longer than the head: whoever reads the whole will say
		}
	}
	return "", nil
}
