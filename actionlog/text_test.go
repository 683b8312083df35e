package actionlog

import "testing"

func TestLikeIsSQLites(t *testing.T) {
	for _, c := range []struct {
		text, content string
		plain, like   bool
	}{
		{"", "", true, true},
		{"", "x", true, true},
		{"ell", "HELLO", true, true},
		{"ELL", "hello", true, true},
		{"Ü", "ü", false, false}, // only ASCII letters compare alike
		{"100%", "100 percent", false, true},
		{"100%", "100%", true, true},
		{"h_llo", "hello", false, true},
		{"h_llo", "h_llo", true, true},
		{"a_c", "aéc", false, true}, // one character, not one byte
		{"a%b%c", "xxaxxbxxcxx", false, true},
		{"a%b%c", "xxaxxcxxbxx", false, false},
		{"_____", "four", false, false},
	} {
		plain, _ := newPattern(c.text, false).in([]byte(c.content), nil)
		wild, _ := newPattern(c.text, true).in([]byte(c.content), nil)
		if plain != c.plain || wild != c.like {
			t.Errorf("%q in %q: %v and %v, want %v and %v", c.text, c.content, plain, wild, c.plain, c.like)
		}
	}
}
