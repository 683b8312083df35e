package plainyaml

import "strings"

// Parse reads one document whose root is a map.
func Parse(text []byte) (*Node, error) {
	if len(text) > maxText {
		return nil, &Error{1, "the text is above 1 MiB"}
	}
	lines, err := split(string(text))
	if err != nil {
		return nil, err
	}
	p := &parser{lines: lines}
	if first := p.peek(); first != nil && first.indent == 0 && first.text == "---" {
		p.at++
	}
	first := p.peek()
	if first == nil {
		return nil, &Error{1, "there is nothing in it"}
	}
	root, err := p.node(first.indent, -1, 0)
	if err != nil {
		return nil, err
	}
	if more := p.peek(); more != nil {
		return nil, &Error{more.number, "does not belong to the map above"}
	}
	if root.Kind != Mapping {
		return nil, &Error{root.Line, "the document is not a map"}
	}
	return root, nil
}

type parser struct {
	lines []line
	at    int
}

// peek skips blank lines and returns the next line, nil at the end.
func (p *parser) peek() *line {
	for p.at < len(p.lines) {
		if !p.lines[p.at].blank() {
			return &p.lines[p.at]
		}
		p.at++
	}
	return nil
}

func dash(text string) bool { return text == "-" || strings.HasPrefix(text, "- ") }

// node reads the value that begins on the next line, at this indentation. parent is the indentation of what holds it.
func (p *parser) node(indent, parent, depth int) (*Node, error) {
	l := p.peek()
	if depth > maxDepth {
		return nil, &Error{l.number, "nested deeper than 32"}
	}
	if strings.HasPrefix(l.text, "---") || strings.HasPrefix(l.text, "...") || l.text[0] == '%' {
		return nil, &Error{l.number, "directives and several documents are not read here"}
	}
	if dash(l.text) {
		return p.sequence(indent, depth)
	}
	if _, _, ok := splitKey(l.text); ok {
		return p.mapping(indent, depth)
	}
	n, err := p.inline(l.text, parent, depth)
	return n, err
}

func (p *parser) sequence(indent, depth int) (*Node, error) {
	n := &Node{Kind: Sequence, Line: p.peek().number}
	for l := p.peek(); l != nil && l.indent == indent && dash(l.text); l = p.peek() {
		item, err := p.item(l, indent, depth)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, item)
	}
	return n, p.deeper(indent)
}

// item reads what stands behind one dash: the rest of its line is a line of its own, further in.
func (p *parser) item(l *line, indent, depth int) (*Node, error) {
	rest := strings.TrimLeft(l.text[1:], " ")
	if rest == "" || rest[0] == '#' {
		p.at++
		return p.nested(l.number, indent, depth, false)
	}
	l.indent += len(l.text) - len(rest)
	l.text = rest
	return p.node(l.indent, indent, depth+1)
}

// nested reads a value that stands below its key or dash; nothing there is null.
func (p *parser) nested(number, indent, depth int, key bool) (*Node, error) {
	next := p.peek()
	switch {
	case next != nil && next.indent > indent:
		return p.node(next.indent, indent, depth+1)
	case key && next != nil && next.indent == indent && dash(next.text):
		if depth+1 > maxDepth {
			return nil, &Error{next.number, "nested deeper than 32"}
		}
		return p.sequence(indent, depth+1)
	}
	return &Node{Kind: Scalar, Null: true, Line: number}, nil
}

func (p *parser) mapping(indent, depth int) (*Node, error) {
	n := &Node{Kind: Mapping, Line: p.peek().number}
	seen := map[string]bool{}
	for l := p.peek(); l != nil && l.indent == indent && !dash(l.text); l = p.peek() {
		key, rest, ok := splitKey(l.text)
		if !ok {
			return nil, &Error{l.number, "neither a key with a value nor a list"}
		}
		name, err := keyName(key, l.number)
		if err != nil {
			return nil, err
		}
		if seen[name] {
			return nil, &Error{l.number, "a key is there twice"}
		}
		seen[name] = true
		value, err := p.value(l.number, rest, indent, depth)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, &Node{Kind: Scalar, Value: name, Line: l.number}, value)
	}
	return n, p.deeper(indent)
}

func (p *parser) value(number int, rest string, indent, depth int) (*Node, error) {
	if rest == "" || rest[0] == '#' {
		p.at++
		return p.nested(number, indent, depth, true)
	}
	return p.inline(rest, indent, depth)
}

// deeper refuses a line that is further in than the collection that just ended: parsers repair that differently.
func (p *parser) deeper(indent int) error {
	if l := p.peek(); l != nil && l.indent > indent {
		return &Error{l.number, "indented further than what it could belong to"}
	}
	return nil
}

// splitKey cuts "key: value" at the colon; the key is still quoted, if it was.
func splitKey(text string) (key, rest string, ok bool) {
	end := 0
	switch text[0] {
	case '"', '\'':
		_, n, err := quoted(text, 0)
		if err != nil {
			return "", "", false
		}
		end = n
	case '[', '{':
		return "", "", false
	default:
		for end < len(text) && !colon(text, end) {
			if text[end] == '#' && end > 0 && text[end-1] == ' ' {
				return "", "", false
			}
			end++
		}
	}
	if end == 0 || end >= len(text) || !colon(text, end) {
		return "", "", false
	}
	return text[:end], strings.TrimLeft(text[end+1:], " "), true
}

// colon says whether a value follows: a colon before a space or at the end of the line.
func colon(text string, i int) bool { return text[i] == ':' && (i+1 == len(text) || text[i+1] == ' ') }

// keyName is a key as it reads. Unquoted keys must be plain names that no parser takes for a number, a date or a truth value.
func keyName(key string, number int) (string, error) {
	if key[0] == '"' || key[0] == '\'' {
		name, _, err := quoted(key, number)
		if err == nil && (name == "<<" || strings.Contains(name, "$")) {
			return "", &Error{number, "a key is a merge or is filled in at start"}
		}
		return name, err
	}
	if !letter(key[0]) && key[0] != '_' && key[0] != '/' || word(key) {
		return "", &Error{number, "a key is not a plain name: quote it"}
	}
	for i := range len(key) {
		if c := key[i]; !letter(c) && (c < '0' || c > '9') && !strings.ContainsRune("_-./", rune(c)) {
			return "", &Error{number, "a key is not a plain name: quote it"}
		}
	}
	return key, nil
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// word says whether some parser reads the name as something else than a string.
func word(s string) bool {
	switch strings.ToLower(s) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return true
	}
	return false
}
