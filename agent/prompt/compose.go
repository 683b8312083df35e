package prompt

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

var placeholder = regexp.MustCompile(`\{\{(\w+)\}\}`)

// Compose replaces {{name}} by state[name], nothing else: no blanks, no nesting; unknown names become "". What is put
// in is not looked at again, so a message that says {{secret}} stays that text.
func Compose(template string, state map[string]string) string {
	return placeholder.ReplaceAllStringFunc(template, func(m string) string { return state[m[2:len(m)-2]] })
}

// Header puts a heading over a body, or nothing if there is no body.
func Header(header, body string) string {
	switch {
	case body == "":
		return ""
	case header == "":
		return body + "\n"
	}
	return header + "\n" + body + "\n"
}

// Ago says how long ago something was, in Eliza's words.
func Ago(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return count(int(d/time.Minute), "minute")
	case d < 24*time.Hour:
		return count(int(d/time.Hour), "hour")
	}
	return count(int(d/(24*time.Hour)), "day")
}

func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit + " ago"
	}
	return fmt.Sprintf("%d %ss ago", n, unit)
}

// Line is one message for the conversation section of a prompt.
type Line struct {
	User        string // UUID; its last five characters are shown
	Name        string // "" = Unknown User
	Text        string
	Action      string
	Attachments []Attachment
	At          time.Time
}

// Attachment is a file that came with a message.
type Attachment struct{ ID, Title, URL, Text string }

// Messages writes lines, oldest first, in Eliza's form.
func Messages(lines []Line, now time.Time) string {
	var out []string
	for _, l := range lines {
		name := l.Name
		if name == "" {
			name = "Unknown User"
		}
		out = append(out, fmt.Sprintf("(%s) [%s] %s: %s%s%s", Ago(now.Sub(l.At)), l.User[max(0, len(l.User)-5):], name, l.Text, files(l.Attachments), action(l.Action)))
	}
	return strings.Join(out, "\n")
}

func files(list []Attachment) string {
	if len(list) == 0 {
		return ""
	}
	var names []string
	for _, a := range list {
		names = append(names, fmt.Sprintf("[%s - %s (%s)]", a.ID, a.Title, a.URL))
	}
	return " (Attachments: " + strings.Join(names, ", ") + ")"
}

func action(name string) string {
	if name == "" || name == "null" {
		return ""
	}
	return " (" + name + ")"
}
