package eliza_test

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	tableRow  = regexp.MustCompile(`(?m)^\| (7\.1|[a-z]) \| .* \| (.*) \|$`)
	reference = regexp.MustCompile("`([a-z0-9/]+)\\.(Test\\w+)`")
	factsRow  = regexp.MustCompile(`(?m)^\| ([a-z]) \| `)
)

// Every flaw of the original has a row in docs/eliza.md, every row names tests that exist, and no test of a flaw is without a row.
func TestEveryFlawHasItsTest(t *testing.T) {
	text, err := os.ReadFile("../../docs/eliza.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows, named []string
	for _, m := range tableRow.FindAllStringSubmatch(string(text), -1) {
		rows = append(rows, m[1])
		tests := reference.FindAllStringSubmatch(m[2], -1)
		if len(tests) == 0 {
			t.Errorf("row %s names no test", m[1])
		}
		for _, ref := range tests {
			if named = append(named, ref[0]); !slices.Contains(testsIn(t, "../../"+ref[1]), ref[2]) {
				t.Errorf("row %s: %s is not there", m[1], ref[0])
			}
		}
	}
	if want := append([]string{"7.1"}, flaws(t)...); !slices.Equal(rows, want) {
		t.Errorf("rows %v, want %v", rows, want)
	}
	for _, name := range testsIn(t, ".") {
		if strings.HasPrefix(name, "TestFlaw") && !slices.Contains(named, "`server/eliza."+name+"`") {
			t.Errorf("%s is in no row", name)
		}
	}
}

// flaws are the rows of facts/eliza.md section 7.2, from the file itself where it is at hand.
func flaws(t *testing.T) (list []string) {
	t.Helper()
	dir := os.Getenv("TEAPOT_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	facts, err := os.ReadFile(filepath.Join(dir, "facts/eliza.md"))
	if err != nil {
		return strings.Split("abcdefghijklmnopqrstuv", "")
	}
	_, section, _ := strings.Cut(string(facts), "### 7.2 ")
	section, _, _ = strings.Cut(section, "### 7.3 ")
	for _, m := range factsRow.FindAllStringSubmatch(section, -1) {
		list = append(list, m[1])
	}
	return list
}

// testsIn lists the test functions of a directory.
func testsIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		f, err := parser.ParseFile(gotoken.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}
