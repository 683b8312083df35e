package character

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/teapot-tee/teapot/agent/json5"
	"github.com/teapot-tee/teapot/agent/uuid"
)

// Problem is one place where a character breaks the schema. Code and Message are zod's, so that people find them in
// Eliza's issues; Expected says what would be right.
type Problem struct {
	Path     string `json:"path"` // "messageExamples.0.0.content.text"; "" is the document
	Code     string `json:"code"`
	Message  string `json:"message"`
	Expected string `json:"expected"`
}

func (p Problem) String() string {
	path := p.Path
	if path == "" {
		path = "(document)"
	}
	return fmt.Sprintf("%s: %s (expected %s)", path, p.Message, p.Expected)
}

// Validate checks a document against Eliza 0.1.9's schema and returns every problem, in the order of the schema.
func Validate(doc json5.Value) []Problem {
	if doc.Kind != json5.Object {
		return []Problem{mistyped("", doc, true, json5.Object, "a JSON object with the character's members")}
	}
	c := checker{}
	for _, f := range schema {
		c.member(doc, "", f)
	}
	return c.problems
}

// rule checks a value that is present.
type rule func(c *checker, path string, v json5.Value)

type field struct {
	name     string
	required bool
	missing  string // zod's message when it is missing; "" = Required
	expected string
	rule     rule
}

type checker struct{ problems []Problem }

func (c *checker) add(p Problem) { c.problems = append(c.problems, p) }

func (c *checker) member(object json5.Value, path string, f field) {
	at := join(path, f.name)
	v, ok := object.Get(f.name)
	if ok {
		f.rule(c, at, v)
		return
	}
	if !f.required {
		return
	}
	if f.missing != "" {
		c.add(Problem{at, "invalid_union", f.missing, f.expected})
		return
	}
	c.add(Problem{at, "invalid_type", "Required", f.expected})
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// mistyped is zod's invalid_type.
func mistyped(path string, got json5.Value, present bool, want json5.Kind, expected string) Problem {
	message := "Required"
	if present {
		message = fmt.Sprintf("Expected %s, received %s", want, got.Kind)
	}
	return Problem{path, "invalid_type", message, expected}
}

func kind(want json5.Kind, expected string) rule {
	return func(c *checker, path string, v json5.Value) {
		if v.Kind != want {
			c.add(mistyped(path, v, true, want, expected))
		}
	}
}

func array(item rule, expected string) rule {
	return func(c *checker, path string, v json5.Value) {
		if v.Kind != json5.Array {
			c.add(mistyped(path, v, true, json5.Array, expected))
			return
		}
		for i, el := range v.Items {
			item(c, join(path, strconv.Itoa(i)), el)
		}
	}
}

func record(item rule, expected string) rule {
	return func(c *checker, path string, v json5.Value) {
		if v.Kind != json5.Object {
			c.add(mistyped(path, v, true, json5.Object, expected))
			return
		}
		for _, m := range v.Members {
			item(c, join(path, m.Name), m.Value)
		}
	}
}

func object(expected string, fields ...field) rule {
	return func(c *checker, path string, v json5.Value) {
		if v.Kind != json5.Object {
			c.add(mistyped(path, v, true, json5.Object, expected))
			return
		}
		for _, f := range fields {
			c.member(v, path, f)
		}
	}
}

// union is zod's: "Invalid input" at the union's own path unless one branch accepts.
func union(expected string, branches ...rule) rule {
	return func(c *checker, path string, v json5.Value) {
		for _, branch := range branches {
			try := checker{}
			if branch(&try, path, v); len(try.problems) == 0 {
				return
			}
		}
		c.add(Problem{path, "invalid_union", "Invalid input", expected})
	}
}

func enum(values []string) rule {
	return func(c *checker, path string, v json5.Value) {
		if v.Kind != json5.String {
			c.add(Problem{path, "invalid_type", fmt.Sprintf("Expected '%s', received %s", strings.Join(values, "' | '"), v.Kind), "one of these names in quotes"})
			return
		}
		for _, name := range values {
			if v.Text == name {
				return
			}
		}
		message := fmt.Sprintf("Invalid enum value. Expected '%s', received '%s'", strings.Join(values, "' | '"), v.Text)
		c.add(Problem{path, "invalid_enum_value", message, "one of these names, in lower case"})
	}
}

func uuidRule(c *checker, path string, v json5.Value) {
	if v.Kind != json5.String {
		c.add(mistyped(path, v, true, json5.String, "a UUID in quotes"))
		return
	}
	if !uuid.Valid(v.Text) {
		c.add(Problem{path, "invalid_string", "Invalid uuid", "8-4-4-4-12 hex digits, or no id at all"})
	}
}
