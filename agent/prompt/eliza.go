// Package prompt composes prompts and reads answers the way Eliza v1 does, and better where Eliza lost text. What a
// model answers is foreign input: every reader here is total, bounded and free of backtracking.
package prompt

import (
	"encoding/json"
	"regexp"
	"strings"
)

// Object is Eliza's parseJSONObjectFromText, losses included: a nested object without a fence gives {}, null and
// numbers after `": ` become strings. The runtime reads answers with Reply; this one is for compatibility.
// The result is nil if the text has no object at all; a fenced array comes back as []any.
func Object(text string) any {
	body, ok := fenced(text)
	if !ok {
		if body, ok = between(text, '{', '}'); !ok {
			return nil
		}
	}
	body = normalise(strings.TrimSpace(body))
	var v any
	if json.Unmarshal([]byte(body), &v) != nil {
		return pairs(body)
	}
	return v
}

// fenced returns what stands between "```json\n" and "\n```".
func fenced(text string) (string, bool) {
	_, rest, ok := strings.Cut(text, "```json\n")
	if !ok {
		return "", false
	}
	body, _, ok := strings.Cut(rest, "\n```")
	return body, ok
}

// between returns the shortest piece from the first opening to the next closing byte, both included.
func between(text string, opening, closing byte) (string, bool) {
	from := strings.IndexByte(text, opening)
	if from < 0 {
		return "", false
	}
	to := strings.IndexByte(text[from:], closing)
	if to < 0 {
		return "", false
	}
	return text[from : from+to+1], true
}

var (
	keyColon = regexp.MustCompile(`"[A-Za-z0-9_-]+"\s*:`)
	nextKey  = regexp.MustCompile(`,\s*"`)
	pair     = regexp.MustCompile(`"([^"]+)"\s*:\s*"([^"]*)"`)
	word     = regexp.MustCompile(`^[A-Za-z_]+`)
)

// normalise quotes values that have no quotes or single quotes.
func normalise(body string) string {
	var out strings.Builder
	for {
		at := keyColon.FindStringIndex(body)
		if at == nil {
			return out.String() + body
		}
		out.WriteString(body[:at[1]])
		quoted, rest := value(body[at[1]:])
		out.WriteString(quoted)
		body = rest
	}
}

// value reads what follows a colon and returns it quoted, with the rest of the text.
func value(text string) (quoted, rest string) {
	trimmed := strings.TrimLeft(text, " \t\r\n")
	if single, ok := strings.CutPrefix(trimmed, "'"); ok {
		if end := strings.IndexByte(single, '\''); end >= 0 {
			return `"` + single[:end] + `"`, single[end+1:]
		}
	}
	if strings.HasPrefix(text, " ") && trimmed != "" && trimmed[0] != '"' && trimmed[0] != '[' {
		if end := bareEnd(trimmed); end > 0 {
			return ` "` + strings.TrimRight(trimmed[:end], " \t\r\n") + `"`, trimmed[end:]
		}
	}
	if w := word.FindString(trimmed); w != "" {
		return `"` + w + `"`, trimmed[len(w):]
	}
	return "", text
}

// bareEnd is where a value without quotes ends: before the next `, "` or before the last brace.
func bareEnd(text string) int {
	if at := nextKey.FindStringIndex(text); at != nil {
		return at[0]
	}
	if strings.HasSuffix(text, "}") {
		return len(text) - 1
	}
	return -1
}

// pairs collects "k":"v" from a text that is no JSON.
func pairs(text string) map[string]any {
	found := map[string]any{}
	for _, m := range pair.FindAllStringSubmatch(text, -1) {
		found[m[1]] = m[2]
	}
	return found
}

// Array is Eliza's parseJsonArrayFromText. nil if there is none; an empty list is none.
func Array(text string) []any {
	body, ok := fenced(text)
	if !ok {
		if body, ok = between(text, '[', ']'); !ok {
			return nil
		}
	}
	if !strings.Contains(body, `\'`) {
		body = singleQuoted.ReplaceAllString(body, `"$1"`)
	}
	var list []any
	if json.Unmarshal([]byte(body), &list) != nil || len(list) == 0 {
		return nil
	}
	return list
}

// textKey is where the reply's text begins.
var textKey = regexp.MustCompile(`"text"\s*:\s*"`)

var singleQuoted = regexp.MustCompile(`'([^'"\\]*)'`)

// Boolean reads yes or no in Eliza's words; ok is false for anything else.
func Boolean(text string) (value, ok bool) {
	switch strings.ToUpper(strings.TrimSpace(text)) {
	case "YES", "Y", "TRUE", "T", "1", "ON", "ENABLE":
		return true, true
	case "NO", "N", "FALSE", "F", "0", "OFF", "DISABLE":
		return false, true
	}
	return false, false
}
