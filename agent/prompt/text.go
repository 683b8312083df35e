package prompt

import (
	"strings"
)

// Truncate cuts text to at most limit bytes at the end of a sentence, else of a word, as Eliza does for posts.
func Truncate(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	if end := strings.LastIndexByte(text[:limit], '.'); end > 0 {
		return strings.TrimSpace(text[:end+1])
	}
	if end := strings.LastIndexByte(text[:limit], ' '); end > 0 {
		return strings.TrimSpace(text[:end]) + "..."
	}
	return strings.ToValidUTF8(text[:max(0, limit-3)], "") + "..."
}
