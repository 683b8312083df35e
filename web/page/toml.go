package page

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/verify"
)

// parsePolicy reads a policy file, TOML as `teapot policy init` writes it: comments, [tables], [[tables]], and keys with
// strings, integers, true, false, times and lists of strings. Anything else of TOML is refused with its line. The result
// goes through verify.ParsePolicyJSON, so names and values are judged by the same code as everywhere; a test compares both
// ways over every policy we have. (The library of package policyfile would add 110 kB to the page's verifier.)
func parsePolicy(text string) (verify.Policy, error) {
	t := &toml{root: map[string]any{}}
	t.table = t.root
	for t.line = 1; text != ""; t.line++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		for open := strings.TrimSpace(line); strings.HasSuffix(uncommented(open), "[") || strings.HasSuffix(uncommented(open), ","); open = strings.TrimSpace(line) {
			var more string // a list that goes on
			if text == "" {
				break
			}
			more, text, _ = strings.Cut(text, "\n")
			line = uncommented(line) + " " + more
			t.line++
		}
		if err := t.read(strings.TrimSpace(line)); err != nil {
			return verify.Policy{}, fmt.Errorf("policy: line %d: %w", t.line, err)
		}
	}
	if _, ok := t.root["version"]; !ok {
		return verify.Policy{}, fmt.Errorf(`policy: the first line must be "version = 1"`)
	}
	doc, err := json.Marshal(t.root)
	if err != nil {
		return verify.Policy{}, err
	}
	return verify.ParsePolicyJSON(doc)
}

type toml struct {
	root, table map[string]any
	line        int
}

func (t *toml) read(line string) error {
	line = strings.TrimSpace(uncommented(line))
	switch {
	case line == "":
		return nil
	case strings.HasPrefix(line, "[[") && strings.HasSuffix(line, "]]"):
		return t.another(strings.TrimSpace(line[2 : len(line)-2]))
	case line[0] == '[' && strings.HasSuffix(line, "]"):
		return t.open(strings.TrimSpace(line[1 : len(line)-1]))
	}
	key, value, ok := strings.Cut(line, "=")
	key = strings.TrimSpace(key)
	if !ok || !bare(key) {
		return fmt.Errorf("want a key, = and a value")
	}
	if _, twice := t.table[key]; twice {
		return fmt.Errorf("%s is there twice", key)
	}
	v, rest, err := value1(strings.TrimSpace(value))
	if err == nil && strings.TrimSpace(rest) != "" {
		err = fmt.Errorf("something follows the value of %s", key)
	}
	t.table[key] = v
	return err
}

// open begins a table; one name only, once.
func (t *toml) open(name string) error {
	if _, twice := t.root[name]; twice || !bare(name) {
		return fmt.Errorf("table [%s] is there twice, or its name is not a plain one", name)
	}
	t.table = map[string]any{}
	t.root[name] = t.table
	return nil
}

// another adds a table to a list of tables.
func (t *toml) another(name string) error {
	list, ok := t.root[name].([]any)
	if _, there := t.root[name]; there && !ok || !bare(name) {
		return fmt.Errorf("[[%s]]: the name is taken, or is not a plain one", name)
	}
	t.table = map[string]any{}
	t.root[name] = append(list, t.table)
	return nil
}

func bare(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

// uncommented cuts a comment that stands outside of a string.
func uncommented(line string) string {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '#':
			return strings.TrimRight(line[:i], " \t\r")
		case '"', '\'':
			if end := stringEnd(line[i:]); end > 0 {
				i += end - 1
			}
		}
	}
	return strings.TrimRight(line, " \t\r")
}

// stringEnd returns the length of the string that s begins with, quotes included; 0 when it does not end.
func stringEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			return i + 1
		case s[i] == '\\' && s[0] == '"':
			i++
		}
	}
	return 0
}

// value1 reads one value from the beginning of s and returns what follows it.
func value1(s string) (v any, rest string, err error) {
	switch {
	case s == "":
		return nil, "", fmt.Errorf("a value is missing")
	case s[0] == '[':
		return list(s[1:])
	case s[0] == '"', s[0] == '\'':
		return quotedString(s)
	}
	end := strings.IndexAny(s, ",] \t")
	if end < 0 {
		end = len(s)
	}
	word := s[:end]
	switch {
	case word == "true", word == "false":
		return word == "true", s[end:], nil
	case integer(word):
		return json.Number(word), s[end:], nil
	}
	if _, err := time.Parse(time.RFC3339, word); err == nil {
		return word, s[end:], nil
	}
	return nil, "", fmt.Errorf("%q is no string, whole number, true, false or time", clip(word))
}

// integer: decimal digits without a leading zero.
func integer(s string) bool {
	return s == "0" || s != "" && s[0] != '0' && len(s) < 16 && strings.Trim(s, "0123456789") == ""
}

func quotedString(s string) (any, string, error) {
	end := stringEnd(s)
	if end == 0 || strings.HasPrefix(s, `"""`) || strings.HasPrefix(s, "'''") {
		return nil, "", fmt.Errorf("a string does not end on its line")
	}
	if s[0] == '\'' {
		return s[1 : end-1], s[end:], nil
	}
	var out string
	if strings.Contains(s[:end], `\/`) || json.Unmarshal([]byte(s[:end]), &out) != nil { // TOML's escapes are JSON's but for \/ and \U
		return nil, "", fmt.Errorf("a string with an escape that is not read here")
	}
	return out, s[end:], nil
}

func list(s string) (any, string, error) {
	all := []any{}
	for {
		s = strings.TrimLeft(s, " \t\r")
		if s == "" {
			return nil, "", fmt.Errorf("a list does not end")
		}
		if s[0] == ']' {
			return all, s[1:], nil
		}
		v, rest, err := value1(s)
		if err != nil {
			return nil, "", err
		}
		all = append(all, v)
		s = strings.TrimLeft(rest, " \t\r")
		if s != "" && s[0] == ',' {
			s = s[1:]
		} else if s == "" || s[0] != ']' {
			return nil, "", fmt.Errorf("a list wants a comma or its end")
		}
	}
}
