// Package plainyaml reads the plain part of YAML: one document of maps, lists and scalars.
//
// A measured compose file is judged by what it says, so it must mean the same to every parser. Anchors, aliases, merges,
// tags, several documents, duplicate keys, keys that are not plain strings or hold a dollar sign, scalars that run over several lines, tabs and
// everything else that parsers read in different ways are refused. What is accepted reads exactly as go.yaml.in/yaml/v4
// reads it (a test compares the two); that library is not used here because it adds a quarter of a megabyte to the
// page's verifier. Specification: YAML 1.2.2, chapters 6 to 8.
package plainyaml

import "fmt"

// Kind of a node.
type Kind uint8

// Kinds. The zero value is none of them.
const (
	Scalar Kind = iota + 1
	Mapping
	Sequence
)

// Node is one value. Content of a Mapping alternates keys and values, in the order of the file.
type Node struct {
	Kind    Kind
	Value   string // of a Scalar
	Null    bool   // a Scalar that stands for nothing: empty, ~ or null, unquoted
	Content []*Node
	Line    int // from 1
}

// Limits.
const (
	maxText  = 1 << 20
	maxDepth = 32
)

// Error says where a text is not plain YAML.
type Error struct {
	Line int
	What string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.What) }
