package main

import (
	"io"
	"strings"
)

// foreign passes text on that may come from a server without what moves a cursor, clears a screen or hides text. A server must
// not be able to paint a verdict over its own refusal. For text only, never for answers that programs read.
type foreign struct{ w io.Writer }

func (f foreign) Write(p []byte) (int, error) {
	if _, err := io.WriteString(f.w, harmless(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// harmless keeps line ends and makes each line plain.
func harmless(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = plain(line)
	}
	return strings.Join(lines, "\n")
}
