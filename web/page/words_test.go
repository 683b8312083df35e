package page_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/teapot-tee/teapot/web/page"
)

type wordList struct {
	Checks    map[string]map[string]string `json:"checks"`
	Fields    map[string]struct{ En, Zh, Says string }
	Sentences map[string]string `json:"sentences"`
}

func wordsOf(t *testing.T) wordList {
	t.Helper()
	var w wordList
	if err := json.Unmarshal([]byte(page.Words()), &w); err != nil {
		t.Fatal(err)
	}
	return w
}

// Every check id that the verifier's source can report has words in both languages, and no word is of a check that is gone.
func TestEveryCheckHasWords(t *testing.T) {
	w := wordsOf(t)
	ids := checkIDs(t)
	if len(ids) < 80 {
		t.Fatalf("only %d check ids were found in the source: the search is broken", len(ids))
	}
	for _, id := range ids {
		words, there := w.Checks[id]
		if !there {
			t.Errorf("check %s has no words: add it to web/page/words.json", id)
		}
		for _, key := range []string{"zh", "passed", "failed", "remedy"} {
			if there && !chinese(words[key]) {
				t.Errorf("check %s: %q is not Chinese: %q", id, key, words[key])
			}
		}
		if there && words["en"] == "" {
			t.Errorf("check %s has no English title", id)
		}
	}
	for id, words := range w.Checks {
		if !slices.Contains(ids, id) {
			t.Errorf("words.json has %s, which no check is called", id)
		}
		for key := range words {
			if !slices.Contains([]string{"en", "zh", "passed", "failed", "warning", "not_checked", "remedy", "remedy_warning", "remedy_not_checked"}, key) {
				t.Errorf("check %s: unknown key %q", id, key)
			}
		}
	}
}

var links = regexp.MustCompile(`^(hardware|tcb|debug|measurements|binding|freshness|session|keys|custody|lineage|signature|consistency|entries|witnesses|rollback)\.[a-z_.]+$`)

// checkIDs collects the ids from the source: literals of packages verify, tlog and page, and the checks of package dcap under
// the names that package verify gives them (quotes.go).
func checkIDs(t *testing.T) []string {
	t.Helper()
	ids := map[string]bool{"entries.screen_message": true, "entries.screen_reply": true, "lineage.replay": true, "lineage.compose": true} // put together there
	for _, dir := range []string{"../../verify", "../../tlog", "."} {
		for _, text := range literals(t, dir) {
			if links.MatchString(text) && !strings.HasSuffix(text, "_") {
				ids[text] = true
			}
		}
	}
	delete(ids, "entries.signature") // auditIDs of package verify give these two other names
	delete(ids, "entries.start")
	for id, link := range dcapChecks(t) {
		rest, policy := strings.CutPrefix(id, "policy.")
		switch {
		case link == "tcb" && !strings.HasPrefix(id, "tcb."):
			ids["tcb."+rest] = true
		case link == "tcb":
			ids[id] = true
		case policy:
			ids["debug."+rest] = true
		default:
			ids["hardware."+id] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// dcapChecks reads id and link of each check from package dcap's table.
func dcapChecks(t *testing.T) map[string]string {
	t.Helper()
	checks := map[string]string{}
	for _, file := range sources(t, "../../dcap") {
		ast.Inspect(file, func(n ast.Node) bool {
			c, ok := n.(*ast.CompositeLit)
			if !ok || len(c.Elts) != 3 {
				return true
			}
			var parts []string
			for _, e := range c.Elts {
				if text, ok := literal(e); ok {
					parts = append(parts, text)
				}
			}
			if len(parts) == 3 && (parts[1] == "hardware" || parts[1] == "tcb") {
				checks[parts[0]] = parts[1]
			}
			return true
		})
	}
	return checks
}

// Every sentence of a quote's explanation and of "not proven" has a Chinese one; values stand as {}.
func TestEverySentenceHasWords(t *testing.T) {
	w := wordsOf(t)
	verb := regexp.MustCompile(`%0?[0-9]*[dsvxX]`)
	found := 0
	for _, source := range []struct{ dir, file string }{{"../../dcap", "describe.go"}, {"../../dcap", "describe_words.go"}, {"../../verify", "proven.go"}} {
		for _, text := range literalsOf(t, source.dir, source.file) {
			for part := range strings.SplitSeq(verb.ReplaceAllString(text, "{}"), ". ") {
				whole := part
				if strings.Contains(text, ". ") && !strings.HasSuffix(part, ".") {
					whole += "."
				}
				if !prose(whole) {
					continue
				}
				found++
				if _, ok := w.Sentences[whole]; !ok {
					t.Errorf("%s: no Chinese for %q", source.file, whole)
				}
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d sentences were found in the source: the search is broken", found)
	}
	for en, zh := range w.Sentences {
		if prose(en) && !chinese(zh) {
			t.Errorf("%q reads %q", en, zh)
		}
		if strings.Count(en, "{}") != strings.Count(zh, "{") {
			t.Errorf("%q and %q have different numbers of values", en, zh)
		}
	}
}

// prose: a literal with a space and a lower-case word is said to people; names, prefixes and separators are not.
func prose(text string) bool {
	return strings.Contains(strings.TrimSpace(text), " ") && regexp.MustCompile(`[a-z]{3}`).MatchString(text) && text[0] != ' '
}

// Every field that a quote can have says what it is, in both languages.
func TestEveryFieldHasWords(t *testing.T) {
	w := wordsOf(t)
	name := regexp.MustCompile(`^(header\.|body\.|signature\.|certification\.|qe_auth\.|qe_certification\.|qe_report\.)?[a-z][a-z0-9_]+$`)
	var names []string
	for _, text := range literalsOf(t, "../../dcap", "describe.go") {
		if name.MatchString(text) && strings.Contains(text, ".") {
			names = append(names, strings.TrimPrefix(strings.TrimPrefix(text, "header."), "body."))
		}
	}
	names = append(names, partNames(t)...)
	if len(names) < 50 {
		t.Fatalf("only %d fields were found in the source: the search is broken", len(names))
	}
	for _, n := range names {
		if n == "qe_report.report_data" { // looked up without its prefix
			continue
		}
		f := w.Fields[n]
		if f.En == "" || !chinese(f.Zh) {
			t.Errorf("field %s: %q, %q", n, f.En, f.Zh)
		}
		if _, known := w.Sentences[f.Says]; f.Says != "" && !known {
			t.Errorf("field %s says %q, which the verifier does not say", n, f.Says)
		}
	}
}

// partNames reads the tables of package dcap's describe_words.go: {"name", size}.
func partNames(t *testing.T) (names []string) {
	t.Helper()
	ast.Inspect(sources(t, "../../dcap")["describe_words.go"], func(n ast.Node) bool {
		if c, ok := n.(*ast.CompositeLit); ok && len(c.Elts) == 2 {
			text, isText := literal(c.Elts[0])
			if size, isSize := c.Elts[1].(*ast.BasicLit); isText && isSize && size.Kind == token.INT {
				names = append(names, text)
			}
		}
		return true
	})
	return names
}

// What keeps a bare quote from being judged is said in Chinese too.
func TestMissingCollateralHasWords(t *testing.T) {
	w := wordsOf(t)
	for _, text := range []string{page.ErrNoCollateral.Error()} {
		if !chinese(w.Sentences[text]) {
			t.Errorf("no Chinese for %q", text)
		}
	}
}

func chinese(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// sources parses the files of a package that are no tests.
func sources(t *testing.T, dir string) map[string]*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: no source: %v", dir, err)
	}
	files := map[string]*ast.File{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = file
	}
	return files
}

func literals(t *testing.T, dir string) (all []string) {
	t.Helper()
	for name := range sources(t, dir) {
		all = append(all, literalsOf(t, dir, name)...)
	}
	return all
}

func literalsOf(t *testing.T, dir, file string) (all []string) {
	t.Helper()
	ast.Inspect(sources(t, dir)[file], func(n ast.Node) bool {
		if _, isImport := n.(*ast.ImportSpec); isImport {
			return false
		}
		if e, ok := n.(ast.Expr); ok {
			if text, ok := literal(e); ok {
				all = append(all, text)
			}
		}
		return true
	})
	return all
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}
