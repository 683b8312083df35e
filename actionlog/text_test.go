package actionlog

import (
	"math/rand/v2"
	"strings"
	"testing"
)

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
		{"_", "", false, false},
		{"%", "", false, true},
		{"%%", "x", false, true},
		{"_%_", "x", false, false},
		{"_%_", "éé", false, true},
		{"a%a", "a", false, false},
		{"ab%b_", "xabxb", false, false},
		{"ab%b_", "xabbb", false, true},
		{"aab", "aaab", true, true},
		{"a_b%b_a", "axaab-bba", false, true},
	} {
		plain, _ := newPattern(c.text, false).in([]byte(c.content), nil)
		wild, _ := newPattern(c.text, true).in([]byte(c.content), nil)
		if plain != c.plain || wild != c.like {
			t.Errorf("%q in %q: %v and %v, want %v and %v", c.text, c.content, plain, wild, c.plain, c.like)
		}
	}
}

// TestAPatternOfAStrangerIsCheap: who may search a room also writes what is in it. This takes minutes where a pattern is compared anew
// at every place.
func TestAPatternOfAStrangerIsCheap(t *testing.T) {
	content := []byte(strings.Repeat("a", 1<<20))
	for _, text := range []string{strings.Repeat("a", 90<<10) + "b", strings.Repeat("a%", 45<<10) + "b", "%" + strings.Repeat("a", 90<<10) + "b%", strings.Repeat("_", maxOnes-1) + "b"} {
		p := newPattern(text, true)
		if err := p.check(); err != nil {
			t.Error(err)
		}
		if ok, _ := p.in(content, nil); ok {
			t.Errorf("%.20s… is found", text)
		}
	}
	for _, text := range []string{strings.Repeat("a", maxOnes) + "_", "x%" + strings.Repeat("_", maxOnes+1)} {
		if newPattern(text, true).check() == nil {
			t.Errorf("%.20s… is taken", text)
		}
		if err := newPattern(text, false).check(); err != nil {
			t.Error(err) // there _ is a letter
		}
	}
}

// TestLikeAgreesWithItsDefinition compares with the plain backtracking form of LIKE.
func TestLikeAgreesWithItsDefinition(t *testing.T) {
	var like func(pattern, text string) bool
	like = func(pattern, text string) bool {
		switch {
		case pattern == "":
			return text == ""
		case pattern[0] == '%':
			return like(pattern[1:], text) || text != "" && like(pattern, text[next([]byte(text), 0):])
		case text == "":
			return false
		case pattern[0] == '_':
			return like(pattern[1:], text[next([]byte(text), 0):])
		}
		return pattern[0] == text[0] && like(pattern[1:], text[1:])
	}
	random := rand.New(rand.NewPCG(1, 2))
	word := func(letters []string, most int) (out string) {
		for range random.IntN(most + 1) {
			out += letters[random.IntN(len(letters))]
		}
		return out
	}
	for range 20000 {
		text, content := word([]string{"a", "b", "é", "%", "_"}, 6), word([]string{"a", "b", "é"}, 9)
		if got, _ := newPattern(text, true).in([]byte(content), nil); got != like("%"+text+"%", content) {
			t.Fatalf("%q in %q: %v", text, content, got)
		}
	}
}
