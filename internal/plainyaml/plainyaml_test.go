package plainyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// library reads a text as go.yaml.in/yaml/v4 does, in our shape. Its own tags decide what is null and what is a string.
func library(text []byte) (*Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, err
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	return convert(doc.Content[0])
}

func convert(n *yaml.Node) (*Node, error) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return nil, errors.New("not plain")
	}
	out := &Node{Kind: map[yaml.Kind]Kind{yaml.ScalarNode: Scalar, yaml.MappingNode: Mapping, yaml.SequenceNode: Sequence}[n.Kind]}
	if n.Kind == yaml.ScalarNode {
		out.Value, out.Null = n.Value, n.Tag == "!!null"
	}
	for i, c := range n.Content {
		inner, err := convert(c)
		if err != nil {
			return nil, err
		}
		if n.Kind == yaml.MappingNode && i%2 == 0 && c.Tag != "!!str" {
			return nil, fmt.Errorf("key %q is %s", c.Value, c.Tag)
		}
		out.Content = append(out.Content, inner)
	}
	return out, nil
}

func show(n *Node) string {
	if n.Kind == Scalar {
		return fmt.Sprintf("%q/%v", n.Value, n.Null)
	}
	var parts []string
	for _, c := range n.Content {
		parts = append(parts, show(c))
	}
	return fmt.Sprintf("%d(%s)", n.Kind, strings.Join(parts, " "))
}

// same fails when we accept a text that the library refuses or reads otherwise. It returns whether we accepted.
func same(t *testing.T, text []byte) bool {
	t.Helper()
	ours, err := Parse(text)
	if err != nil {
		return false
	}
	theirs, err := library(text)
	if err != nil {
		t.Errorf("accepted, but the library says %v:\n%s", err, text)
		return true
	}
	if show(ours) != show(theirs) {
		t.Errorf("read differently:\n%s\nours   %s\ntheirs %s", text, show(ours), show(theirs))
	}
	return true
}

func accepted() []string {
	list := []string{
		"a: b\n", "a:\n", "a: ~\nb: null\nc: \"null\"\nd: ''\n", "# c\n---\na: 1 # x\nb: '#y'\n", "a:\n  b:\n    c: d\n  e: f\n",
		"a:\n- x\n- y\nb:\n  - z\n", "a:\n  - b: c\n    d: e\n  - f\n  -\n  - - g\n    - h\n", "a: {b: , c: {}, d: }\n", "a: [x, \"y\", 'z', 80:80, [q, {r: s}],]\nb: {}\nc: []\n",
		"command:\n    [\n        \"pnpm\",\n        \"start\", # c\n        \"--character=./x.json\",\n    ]\n", "a: |\n  x\n   y\n\n  z\nb: |-\n  q\nc: |+\n  r\n\nd: e\n",
		"ports:\n  - \"3000:80\"\n  - 8080:80\n  - 127.0.0.1:80:80\n", "image: a/b@sha256:00\nenvironment:\n  - A=$B\n  - C=d e#f\n", "a: \"x\\n\\u00e9\\\"\\\\\"\n\"b c\": 'it''s'\n",
		"restart: always\nx-y.z/w_1: -x\nurl: http://a:80/b\n", "a:   b   \n\n\n# end\n", "version: \"3\"\nyes_: y\n/run/x: y\n",
	}
	for _, f := range []string{"../../deploy/compose/production.yaml"} {
		if raw, err := os.ReadFile(f); err == nil {
			list = append(list, string(raw))
		}
	}
	return list
}

func TestAcceptedTextsReadAsTheLibraryReadsThem(t *testing.T) {
	for _, text := range accepted() {
		if !same(t, []byte(text)) {
			_, err := Parse([]byte(text))
			t.Errorf("refused: %v\n%s", err, text)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "only a comment": "# x\n", "a list": "- a\n", "a scalar": "x\n", "an anchor": "a: &x b\n", "an alias": "a: *x\n", "a merge": "a:\n  <<: {b: c}\n",
		"a tag": "a: !!str b\n", "two documents": "a: b\n---\nc: d\n", "a directive": "%YAML 1.2\n---\na: b\n", "a duplicate key": "a: b\na: c\n", "a duplicate in braces": "a: {b: c, b: d}\n",
		"a tab": "a:\tb\n", "folded": "a: >\n  b\n", "several lines": "a: b\n  c\n", "a quote over lines": "a: \"b\n  c\"\n", "colon in a value": "a: b: c\n",
		"a number as key": "80: b\n", "a truth as key": "on: b\n", "null as key": "null: b\n", "a complex key": "? a\n: b\n", "an open bracket": "a: [b\n", "a bracket outdented": "a:\n  [\nb: c\n",
		"text after a quote": "a: \"b\" c\n", "a pair in a list": "a: [b: c]\n", "bad indentation": "a:\n    b: c\n  d: e\n", "a byte order mark": "\ufeffa: b\n", "an interpolated key": "${A}: b\n", "a quoted interpolated key": "\"${A}\": b\n",
		"deep": strings.Repeat("[", 1), "nested too deep": "a: " + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "\n", "end of document": "a: b\n...\n",
	} {
		if n, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: read as %s", name, show(n))
		}
	}
}

// The property that makes this parser safe: whatever it accepts, the library reads the same. Seeds are cut up and put
// together at random; TEAPOT_LONG=1 does a hundred times more.
func TestMutatedTextsNeverReadDifferently(t *testing.T) {
	rounds := 40_000
	if os.Getenv("TEAPOT_LONG") != "" {
		rounds *= 100
	}
	seeds := accepted()
	r := rand.New(rand.NewPCG(1, 2))
	got := 0
	for range rounds {
		if same(t, []byte(mutate(r, seeds))) {
			got++
		}
	}
	if got < rounds/50 {
		t.Errorf("only %d of %d mutated texts were accepted: the test sees too little", got, rounds)
	}
}

const signs = "\n\n\n    ----::::##\"\"''[]{},,|>&*!%@`?~$\\abnull0xyes"

func mutate(r *rand.Rand, seeds []string) string {
	b := []byte(seeds[r.IntN(len(seeds))])
	if len(b) > 400 {
		from := r.IntN(len(b) - 300)
		b = b[from : from+300]
	}
	for range 1 + r.IntN(4) {
		at := r.IntN(len(b) + 1)
		switch r.IntN(4) {
		case 0:
			b = append(b[:at:at], append([]byte{signs[r.IntN(len(signs))]}, b[at:]...)...)
		case 1:
			b = append(b[:at:at], b[min(len(b), at+1+r.IntN(3)):]...)
		case 2:
			other := seeds[r.IntN(len(seeds))]
			from := r.IntN(len(other))
			b = append(b[:at:at], append([]byte(other[from:min(len(other), from+r.IntN(30))]), b[at:]...)...)
		default:
			lines := strings.Split(string(b), "\n")
			i := r.IntN(len(lines))
			lines[i] = strings.Repeat(" ", r.IntN(5)) + strings.TrimLeft(lines[i], " ")
			b = []byte(strings.Join(lines, "\n"))
		}
	}
	return string(b)
}

func FuzzSameAsTheLibrary(f *testing.F) {
	for _, text := range accepted() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { same(t, text) })
}
