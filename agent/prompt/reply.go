package prompt

import (
	"strings"

	"github.com/teapot-tee/teapot/agent/json5"
)

// maxReply is the number of bytes of a model's answer that can become a message; the rest is cut and said so.
const maxReply = 32 << 10

// Answer is what a model said. Plain means that it ignored the form and Text is the whole answer.
type Answer struct {
	User, Text, Action string
	Options            json5.Value // the whole object, for actions that take arguments
	Plain, Cut         bool
}

// Reply reads a model's answer: the first fenced or bare object that has a text or an action, else Eliza's lossy
// rules, else the whole answer as plain text. It never fails; an empty answer has an empty Text.
func Reply(text string) Answer {
	for _, body := range candidates(text) {
		v, err := json5.Parse([]byte(body))
		if err == nil && (v.Path("text").Kind == json5.String || v.Path("action").Kind == json5.String) {
			return cut(Answer{User: v.Path("user").Text, Text: v.Path("text").Text, Action: v.Path("action").Text, Options: v})
		}
	}
	if found, ok := Object(head(text)).(map[string]any); ok {
		said, _ := found["text"].(string)
		action, _ := found["action"].(string)
		user, _ := found["user"].(string)
		if said != "" || action != "" {
			return cut(Answer{User: user, Text: said, Action: action})
		}
	}
	return cut(Answer{Text: strings.TrimSpace(unfence(text)), Plain: true})
}

// head bounds the work on answers of megabytes.
func head(text string) string { return text[:min(len(text), 1<<20)] }

func cut(a Answer) Answer {
	a.Text = strings.ToValidUTF8(a.Text, "\ufffd")
	if len(a.Text) > maxReply {
		a.Text, a.Cut = strings.ToValidUTF8(a.Text[:maxReply], "")+"…", true
	}
	if len(a.Action) > 64 {
		a.Action = ""
	}
	return a
}

// candidates are the pieces of text that may be the object: the fence's content, then the balanced braces.
func candidates(text string) (list []string) {
	text = head(text)
	if body, ok := fenced(text); ok {
		list = append(list, body)
	}
	for tries, rest := 0, text; tries < 4; tries++ {
		from := strings.IndexByte(rest, '{')
		if from < 0 {
			break
		}
		rest = rest[from:]
		end := balanced(rest)
		if end < 0 {
			break
		}
		list = append(list, rest[:end])
		rest = rest[1:]
	}
	return list
}

// balanced returns the length of the object that begins text, minding strings; -1 if it does not end.
func balanced(text string) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

func unfence(text string) string {
	text = strings.TrimSpace(text)
	if body, ok := strings.CutPrefix(text, "```"); ok {
		_, body, _ = strings.Cut(body, "\n")
		return strings.TrimSuffix(strings.TrimSpace(body), "```")
	}
	return text
}
