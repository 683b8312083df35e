package prompt

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// TextStream takes a model's answer piece by piece and hands on the reply's text as soon as it can be told apart from the
// JSON around it. An answer that does not begin like Eliza's form is handed on as it is.
type TextStream struct {
	to    func(string)
	buf   strings.Builder
	state streamState
	done  int // bytes of buf that were dealt with
}

type streamState uint8

const (
	undecided streamState = iota
	plainText
	seeking // inside the object, before the text
	inText
	finished
)

// NewTextStream makes a stream that hands text to a function.
func NewTextStream(to func(string)) *TextStream { return &TextStream{to: to} }

// Write takes the next piece.
func (s *TextStream) Write(piece string) {
	if s.buf.Len()+len(piece) > 1<<20 {
		s.state = finished
		return
	}
	s.buf.WriteString(piece)
	for s.step() {
	}
}

// step makes progress if it can.
func (s *TextStream) step() bool {
	rest := s.buf.String()[s.done:]
	switch s.state {
	case undecided:
		return s.decide(strings.TrimLeft(rest, " \t\r\n"))
	case plainText:
		s.emit(rest, len(rest))
		return false
	case seeking:
		at := textKey.FindStringIndex(rest)
		if at == nil {
			return false
		}
		s.done += at[1]
		s.state = inText
		return true
	case inText:
		return s.text(rest)
	}
	return false
}

func (s *TextStream) decide(head string) bool {
	switch {
	case head == "":
		return false
	case strings.HasPrefix(head, "{") || strings.HasPrefix(head, "```"):
		s.state = seeking
	case strings.HasPrefix("```", head):
		return false
	default:
		s.state = plainText
	}
	return true
}

// text hands on what is complete of the string: whole characters and whole escapes.
func (s *TextStream) text(rest string) bool {
	end := 0
	for end < len(rest) {
		switch c := rest[end]; {
		case c == '"':
			s.emitJSON(rest[:end])
			s.state = finished
			return false
		case c == '\\':
			n := escapeLength(rest[end:])
			if end+n > len(rest) {
				s.emitJSON(rest[:end])
				s.done += end
				return false
			}
			end += n
		default:
			if !utf8.FullRuneInString(rest[end:]) {
				s.emitJSON(rest[:end])
				s.done += end
				return false
			}
			_, n := utf8.DecodeRuneInString(rest[end:])
			end += n
		}
	}
	s.emitJSON(rest)
	s.done += len(rest)
	return false
}

// escapeLength is the length of an escape: a surrogate pair is one.
func escapeLength(text string) int {
	if len(text) < 2 || text[1] != 'u' {
		return 2
	}
	if len(text) >= 4 && (text[2] == 'd' || text[2] == 'D') && strings.IndexByte("89abAB", text[3]) >= 0 {
		return 12
	}
	return 6
}

func (s *TextStream) emitJSON(raw string) {
	if raw == "" {
		return
	}
	var text string
	escaped := strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(raw)
	if json.Unmarshal([]byte(`"`+escaped+`"`), &text) != nil {
		text = raw
	}
	s.to(text)
}

func (s *TextStream) emit(text string, n int) {
	if text != "" {
		s.to(text)
	}
	s.done += n
}
