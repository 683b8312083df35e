package prompt

import (
	"regexp"
	"strings"
)

// cleaning is Eliza's preprocess for embeddings, in its order: code, markup, links and punctuation go.
var cleaning = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile("(?s)```.*?```"), ""},
	{regexp.MustCompile("`.*?`"), ""},
	{regexp.MustCompile(`(?m)#{1,6}\s*(.*)`), "$1"},
	{regexp.MustCompile(`!\[(.*?)\]\(.*?\)`), "$1"},
	{regexp.MustCompile(`\[(.*?)\]\(.*?\)`), "$1"},
	{regexp.MustCompile(`(https?://)?(www\.)?([^\s]+\.[^\s]+)`), "$3"},
	{regexp.MustCompile(`<[^>]*>`), ""},
	{regexp.MustCompile(`\s+`), " "},
	{regexp.MustCompile(`[^a-zA-Z0-9\s\-_./:?=&]`), ""},
}

// ForEmbedding is Eliza's knowledge preprocessing. It drops everything but ASCII, so Teapot uses it only for ids and
// models of the original; its own search reads all scripts.
func ForEmbedding(text string) string {
	for _, c := range cleaning {
		text = c.pattern.ReplaceAllString(text, c.with)
	}
	return strings.ToLower(strings.TrimSpace(text))
}

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
