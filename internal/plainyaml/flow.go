package plainyaml

import "strings"

// flow reads [a, b] and {a: b}, which may run over several lines that are further in than their parent.
func (p *parser) flow(text string, parent, depth int) (*Node, error) {
	f := &flow{p: p, rest: text, parent: parent}
	n, err := f.value(depth)
	if err != nil {
		return nil, err
	}
	number := p.lines[p.at].number
	p.at++
	return n, tail(f.rest, number)
}

// flow is a cursor: what is left of the present line.
type flow struct {
	p      *parser
	rest   string
	parent int
}

func (f *flow) number() int { return f.p.lines[min(f.p.at, len(f.p.lines)-1)].number }

func (f *flow) bad(what string) error { return &Error{f.number(), what} }

// skip moves over spaces, comments and line ends to the next sign; it fails at the end of the text.
func (f *flow) skip() error {
	for {
		trimmed := strings.TrimLeft(f.rest, " ")
		comment := trimmed != "" && trimmed[0] == '#' && len(trimmed) < len(f.rest)
		if trimmed != "" && !comment {
			f.rest = trimmed
			return nil
		}
		f.p.at++
		l := f.p.peek()
		if l == nil || l.indent <= f.parent {
			f.p.at = min(f.p.at, len(f.p.lines)-1)
			return f.bad("a list or map in brackets does not end")
		}
		f.rest = l.text
	}
}

func (f *flow) value(depth int) (*Node, error) {
	if depth > maxDepth {
		return nil, f.bad("nested deeper than 32")
	}
	switch f.rest[0] {
	case '[':
		return f.list(depth)
	case '{':
		return f.pairs(depth)
	}
	return f.scalar()
}

func (f *flow) scalar() (*Node, error) {
	n := &Node{Kind: Scalar, Line: f.number()}
	if f.rest[0] == '"' || f.rest[0] == '\'' {
		value, end, err := quoted(f.rest, n.Line)
		if err != nil {
			return nil, err
		}
		n.Value, f.rest = value, f.rest[end:]
		return n, nil
	}
	if err := plainStart(f.rest, n.Line); err != nil {
		return nil, err
	}
	if f.rest[0] == '-' && (len(f.rest) == 1 || strings.ContainsRune(" ,[]{}", rune(f.rest[1]))) {
		return nil, f.bad("an unquoted value begins with a sign: quote it")
	}
	end := 0
	for end < len(f.rest) && !strings.ContainsRune(",[]{}", rune(f.rest[end])) && !f.colonAt(end) && (f.rest[end] != '#' || f.rest[end-1] != ' ') {
		end++
	}
	n.Value = strings.TrimRight(f.rest[:end], " ")
	n.Null = null(n.Value)
	f.rest = f.rest[end:]
	return n, nil
}

// colonAt: inside brackets a colon also separates before a bracket or comma; parsers differ, so it is cut there and refused.
func (f *flow) colonAt(i int) bool {
	return f.rest[i] == ':' && (i+1 == len(f.rest) || strings.ContainsRune(" ,[]{}", rune(f.rest[i+1])))
}

func (f *flow) list(depth int) (*Node, error) {
	n := &Node{Kind: Sequence, Line: f.number()}
	f.rest = f.rest[1:]
	for {
		if err := f.skip(); err != nil {
			return nil, err
		}
		if f.rest[0] == ']' {
			f.rest = f.rest[1:]
			return n, nil
		}
		v, err := f.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, v)
		if err := f.separator(']'); err != nil {
			return nil, err
		}
	}
}

// separator moves over a comma; the closing bracket stays.
func (f *flow) separator(closing byte) error {
	if err := f.skip(); err != nil {
		return err
	}
	switch f.rest[0] {
	case ',':
		f.rest = f.rest[1:]
		return nil
	case closing:
		return nil
	}
	return f.bad("a comma or the closing bracket was expected")
}

func (f *flow) pairs(depth int) (*Node, error) {
	n := &Node{Kind: Mapping, Line: f.number()}
	seen := map[string]bool{}
	f.rest = f.rest[1:]
	for {
		if err := f.skip(); err != nil {
			return nil, err
		}
		if f.rest[0] == '}' {
			f.rest = f.rest[1:]
			return n, nil
		}
		key, value, err := f.pair(depth)
		if err != nil {
			return nil, err
		}
		if seen[key.Value] {
			return nil, f.bad("a key is there twice")
		}
		seen[key.Value] = true
		n.Content = append(n.Content, key, value)
		if err := f.separator('}'); err != nil {
			return nil, err
		}
	}
}

func (f *flow) pair(depth int) (key, value *Node, err error) {
	raw, rest, ok := splitKey(f.rest)
	if !ok || rest == "" {
		return nil, nil, f.bad("inside {} every key has a colon, a space and a value on its line")
	}
	name, err := keyName(raw, f.number())
	if err != nil {
		return nil, nil, err
	}
	key = &Node{Kind: Scalar, Value: name, Line: f.number()}
	f.rest = rest
	if rest[0] == '#' {
		return nil, nil, f.bad("inside {} every key has a colon, a space and a value on its line")
	}
	if rest[0] == ',' || rest[0] == '}' {
		return key, &Node{Kind: Scalar, Null: true, Line: f.number()}, nil
	}
	value, err = f.value(depth + 1)
	return key, value, err
}
