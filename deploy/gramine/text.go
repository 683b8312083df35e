package gramine

import (
	"maps"
	"slices"
	"strings"
)

// quote writes a TOML basic string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			const hex = "0123456789ABCDEF"
			b.WriteString("\\u00")
			b.WriteByte(hex[r>>4])
			b.WriteByte(hex[r&15])
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func uri(path string) string { return quote("file:" + path) }

func array(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func sorted(values []string) []string { return slices.Sorted(slices.Values(values)) }

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }

func sortedAnyKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
