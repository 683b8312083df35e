// Package knowledge reads what a character knows: texts, files and directories, cut into pieces that can be found. Files are
// configuration of the operator's: what was read is recorded piece by piece, so that the log says what the agent knew.
package knowledge

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/teapot-tee/teapot/agent/character"
)

// Limits of one character's knowledge.
const (
	MaxFile   = 4 << 20
	MaxFiles  = 1000
	MaxPieces = 5000
)

// pieceSize and overlap are Eliza's 512 and 20 tokens, at four bytes each.
const (
	pieceSize = 2048
	overlap   = 80
)

// Document is one text with where it comes from.
type Document struct {
	Source string // "" for a text of the character file, else the file as the character names it
	Text   string
	Shared bool
}

// Load reads a character's knowledge. A file is looked for beside the character and in Eliza's characters/knowledge; what
// cannot be read is an error that names it: an agent that silently knows less than its file says is another agent.
func Load(c *character.Character) ([]Document, error) {
	var list []Document
	for i, k := range c.Knowledge {
		found, err := load(c, k)
		if err != nil {
			return nil, fmt.Errorf("knowledge.%d: %w", i, err)
		}
		if list = append(list, found...); len(list) > MaxFiles {
			return nil, fmt.Errorf("knowledge: more than %d documents", MaxFiles)
		}
	}
	return list, nil
}

func load(c *character.Character, k character.Knowledge) ([]Document, error) {
	switch {
	case k.Path != "":
		path, err := find(c, k.Path)
		if err != nil {
			return nil, err
		}
		text, err := read(path)
		return []Document{{k.Path, text, k.Shared}}, err
	case k.Directory != "":
		return directory(c, k)
	}
	return []Document{{"", k.Text, false}}, nil
}

// find looks beside the character file, then in its knowledge directories.
func find(c *character.Character, name string) (string, error) {
	if c.Path == "" {
		return "", errors.New("only a character file can name other files")
	}
	var tried []string
	for _, dir := range []string{".", "knowledge", "../knowledge", "../characters/knowledge"} {
		path := filepath.Join(c.Dir, dir, name)
		if filepath.IsAbs(name) {
			path = name
		}
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		tried = append(tried, path)
	}
	return "", fmt.Errorf("%q was not found; looked for %s", name, strings.Join(slices.Compact(tried), ", "))
}

func directory(c *character.Character, k character.Knowledge) ([]Document, error) {
	dir, err := find(c, k.Directory)
	if err != nil {
		return nil, err
	}
	var list []Document
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.Type().IsRegular() || !slices.Contains([]string{".md", ".txt"}, strings.ToLower(filepath.Ext(path))) {
			return nil
		}
		text, err := read(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		list = append(list, Document{filepath.Join(k.Directory, name), text, k.Shared})
		return err
	})
	return list, err
}

func read(path string) (string, error) {
	if ext := strings.ToLower(filepath.Ext(path)); ext == ".pdf" {
		return "", fmt.Errorf("%s: PDF is not read; save it as text or Markdown", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return "", err
	}
	if len(data) > MaxFile {
		return "", fmt.Errorf("%s: larger than %d bytes", path, MaxFile)
	}
	if !utf8.Valid(data) {
		return "", fmt.Errorf("%s: is no UTF-8 text", path)
	}
	return string(data), nil
}

// Pieces cuts a text into overlapping pieces that end at line breaks or blanks where possible.
func Pieces(text string) (list []string) {
	text = strings.TrimSpace(text)
	for len(text) > pieceSize {
		end := cut(text[:pieceSize])
		list = append(list, strings.TrimSpace(text[:end]))
		text = text[boundary(text, end-overlap):]
	}
	if text != "" {
		list = append(list, text)
	}
	return list
}

// cut is the last good place to end: a line break in the second half, else a blank, else a whole character.
func cut(text string) int {
	for _, sep := range []string{"\n", ". ", "。", " "} {
		if i := strings.LastIndex(text, sep); i > len(text)/2 {
			return i + len(sep)
		}
	}
	return boundary(text, len(text)-utf8.UTFMax)
}

// boundary moves forward to the beginning of a character.
func boundary(text string, at int) int {
	for at < len(text) && !utf8.RuneStart(text[at]) {
		at++
	}
	return at
}
