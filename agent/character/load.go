package character

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/agent/json5"
)

const (
	maxFile    = 4 << 20 // bytes of one character file
	maxExtends = 8       // levels of parents
)

// Options say how to load. The zero value is usable: lenient, from the working directory, without environment.
type Options struct {
	Strict bool              // refuse what lenient mode would repair
	Cwd    string            // "" = the process's working directory
	Env    map[string]string // what the process may see of its environment; see Environment
}

// InvalidError lists every problem of a file.
type InvalidError struct {
	Path     string
	Problems []Problem
	Repairs  []string // what lenient mode could repair, when it was not asked to
}

func (e *InvalidError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "character %s does not have Eliza's form:", cmp.Or(e.Path, "as sent"))
	for _, p := range e.Problems {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// NotFoundError lists where a character was looked for.
type NotFoundError struct {
	Path  string
	Tried []string
}

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("character %q was not found; looked for\n  %s", e.Path, strings.Join(e.Tried, "\n  "))
}

// Load reads one character. The file is looked for as Eliza does: as given, then under agent/, characters/ and
// ../characters/ by its base name.
//
// "base64:" and the file's text in base64 is the character itself: on a measured command line it is measured, and no file is needed.
func Load(path string, o Options) (*Character, error) {
	if text, ok := strings.CutPrefix(path, "base64:"); ok {
		return inline(text, o)
	}
	if o.Cwd == "" {
		cwd, err := os.Getwd()
		if err != nil {
			return nil, fmt.Errorf("finding the working directory: %w", err)
		}
		o.Cwd = cwd
	}
	found, err := find(path, o.Cwd)
	if err != nil {
		return nil, err
	}
	doc, err := read(found, maxExtends)
	if err != nil {
		return nil, err
	}
	return build(doc, found, o)
}

func inline(text string, o Options) (*Character, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("the character on the command line: %w", err)
	}
	return Parse(data, o)
}

// LoadList loads the values of --character and --characters: each may itself be a comma list.
func LoadList(values []string, o Options) ([]*Character, error) {
	var list []*Character
	for _, value := range values {
		for path := range strings.SplitSeq(value, ",") {
			if path = strings.TrimSpace(path); path == "" {
				continue
			}
			c, err := Load(path, o)
			if err != nil {
				return nil, err
			}
			if i := slices.IndexFunc(list, func(other *Character) bool { return other.ID == c.ID }); i >= 0 {
				return nil, fmt.Errorf("%s and %s have the same agent id %s: give one of them another name or id", list[i].Path, c.Path, c.ID)
			}
			list = append(list, c)
		}
	}
	return list, nil
}

// Parse makes a character of bytes that came from elsewhere, such as POST /agents/{id}/set. It follows no extends and
// reads no file.
func Parse(data []byte, o Options) (*Character, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("the character has %d bytes, more than %d", len(data), maxFile)
	}
	doc, err := json5.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("reading character: %w", err)
	}
	if len(doc.Path("extends").Items) > 0 {
		return nil, errors.New("extends: only a character file may name parent files")
	}
	return build(doc, "", o)
}

func build(doc json5.Value, path string, o Options) (*Character, error) {
	repaired, notes := Repair(doc)
	if o.Strict {
		repaired = doc
	}
	if problems := Validate(repaired); len(problems) > 0 {
		e := &InvalidError{Path: path, Problems: problems}
		if o.Strict {
			e.Repairs = notes
		}
		return nil, e
	}
	c := fromDocument(repaired)
	c.Path, c.Env = path, o.Env
	if path != "" {
		c.Dir = filepath.Dir(path)
	}
	if !o.Strict {
		c.Notes = notes
	}
	c.mergeEnv()
	return c, nil
}

// mergeEnv puts CHARACTER.<ID-or-NAME>.<KEY>=value into settings.secrets; the file's own secrets win.
func (c *Character) mergeEnv() {
	settings, secrets := c.Document.Path("settings"), c.Document.Path("settings", "secrets")
	changed := false
	for _, who := range []string{c.ID, c.Name} {
		prefix := "CHARACTER." + strings.ToUpper(strings.ReplaceAll(who, " ", "_")) + "."
		for _, name := range slices.Sorted(maps.Keys(c.Env)) {
			key, ok := strings.CutPrefix(name, prefix)
			if _, has := secrets.Get(key); ok && !has {
				secrets, changed = secrets.Set(key, json5.Str(c.Env[name])), true
			}
		}
	}
	if changed {
		c.Document = c.Document.Set("settings", settings.Set("secrets", secrets))
	}
}

func find(path, cwd string) (string, error) {
	base := filepath.Base(path)
	candidates := []string{path, filepath.Join(cwd, path), filepath.Join(cwd, "agent", path)}
	for _, dir := range []string{".", "characters", "../characters", "../../characters", "agent/characters"} {
		candidates = append(candidates, filepath.Join(cwd, dir, base))
	}
	var tried []string
	for _, candidate := range candidates {
		if !filepath.IsAbs(candidate) {
			candidate = filepath.Join(cwd, candidate)
		}
		if slices.Contains(tried, candidate) {
			continue
		}
		info, err := os.Stat(candidate)
		if err == nil && info.Mode().IsRegular() {
			return candidate, nil
		}
		tried = append(tried, candidate)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("reading character: %w", err)
		}
	}
	return "", &NotFoundError{path, tried}
}

// read parses one file and merges its parents under it.
func read(path string, levels int) (json5.Value, error) {
	doc, err := readFile(path)
	if err != nil {
		return doc, err
	}
	parents := doc.Path("extends").Strings()
	if len(parents) > 0 && levels == 0 {
		return doc, fmt.Errorf("%s: extends: more than %d levels of parents (do they name each other?)", path, maxExtends)
	}
	var base json5.Value
	for _, parent := range parents {
		if !filepath.IsAbs(parent) {
			parent = filepath.Join(filepath.Dir(path), parent)
		}
		above, err := read(parent, levels-1)
		if err != nil {
			return doc, fmt.Errorf("%s: extends: %w", path, err)
		}
		base = merge(base, above)
	}
	if len(parents) > 0 {
		doc = merge(base, doc)
	}
	return doc, nil
}

// readFile reads a bounded file: a character is configuration, and /dev/zero is none.
func readFile(path string) (json5.Value, error) {
	f, err := os.Open(path)
	if err != nil {
		return json5.Value{}, fmt.Errorf("reading character: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return json5.Value{}, fmt.Errorf("reading character: %w", err)
	}
	if len(data) > maxFile {
		return json5.Value{}, fmt.Errorf("%s: larger than %d bytes, which no character file is", path, maxFile)
	}
	doc, err := json5.Parse(data)
	if err != nil {
		return doc, fmt.Errorf("%s: %w", path, err)
	}
	return doc, nil
}

// merge is Eliza's rule for extends: objects recursively, arrays parent then child, scalars child wins.
func merge(parent, child json5.Value) json5.Value {
	switch {
	case parent.Kind == json5.Object && child.Kind == json5.Object:
		for _, m := range child.Members {
			above, _ := parent.Get(m.Name)
			parent = parent.Set(m.Name, merge(above, m.Value))
		}
		return parent
	case parent.Kind == json5.Array && child.Kind == json5.Array:
		return json5.Value{Kind: json5.Array, Items: append(slices.Clone(parent.Items), child.Items...)}
	}
	return child
}
