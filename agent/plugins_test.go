package agent_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// forbidden are the ways around the gate.
var forbidden = []string{"net", "net/http", "os", "os/exec", "syscall", "unsafe", "plugin", "reflect", "runtime"}

// TestPluginsReachTheWorldOnlyThroughTheGate: every package that makes a plugin.Plugin, except the MCP client, whose very
// job is to talk to a process outside and which gets no secret to tell it.
func TestPluginsReachTheWorldOnlyThroughTheGate(t *testing.T) {
	for _, dir := range []string{"bootstrap", "tee", "dice", "twitter", "plugin"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, imported := range imports(t, file) {
				if slices.Contains(forbidden, imported) || strings.HasPrefix(imported, "golang.org/x/sys") {
					t.Errorf("%s imports %s: plugins reach the world only through plugin.Runtime", file, imported)
				}
			}
		}
	}
}

func imports(t *testing.T, file string) (list []string) {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, linkname := range []string{"//go:linkname", "import \"C\""} {
		if strings.Contains(string(source), linkname) {
			t.Errorf("%s has %s", file, linkname)
		}
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range parsed.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, path)
	}
	return list
}
