package deptest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const decisions = "../../docs/decisions/"

func TestThePageNamesEveryRoom(t *testing.T) {
	page := read(t, decisions+"0001-rooms-and-seams.md")
	for room := range may {
		if !strings.Contains(page, "`"+room+"/`") {
			t.Errorf("docs/decisions/0001-rooms-and-seams.md does not name `%s/`", room)
		}
	}
}

func TestTheTableNamesNoRoomThatIsGone(t *testing.T) {
	for room := range may {
		files, err := filepath.Glob("../../" + room + "/*.go")
		if err != nil || len(files) == 0 {
			t.Errorf("%s is in the table of this test and holds no Go file", room)
		}
	}
}

func TestDecisionsAreNumberedOnceAndIndexed(t *testing.T) {
	files, err := filepath.Glob(decisions + "0*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no decisions: %v", err)
	}
	index, holder := read(t, decisions+"README.md"), map[string]string{}
	for _, file := range files {
		name := filepath.Base(file)
		number, _, _ := strings.Cut(name, "-")
		if other := holder[number]; other != "" {
			t.Errorf("%s and %s have one number", other, name)
		}
		holder[number] = name
		if !strings.HasPrefix(read(t, file), "# "+number+": ") {
			t.Errorf("%s does not begin with its number", name)
		}
		if !strings.Contains(index, "]("+name+")") {
			t.Errorf("docs/decisions/README.md does not list %s", name)
		}
	}
}

// Variables that a person sets are on docs/configuration.md; those of our own tools and tests are not.
func TestTheConfigurationPageNamesEveryVariable(t *testing.T) {
	page := read(t, "../../docs/configuration.md")
	asked := regexp.MustCompile(`(?i:getenv|setting|LookupEnv)\("([A-Z][A-Z_0-9]*)"\)`)
	for _, p := range packages(t) {
		room := strings.TrimPrefix(p.ImportPath, module)
		if in(room, "internal") {
			continue
		}
		for _, file := range p.GoFiles {
			for _, m := range asked.FindAllStringSubmatch(read(t, "../../"+room+"/"+file), -1) {
				if !strings.Contains(page, "`"+m[1]+"`") {
					t.Errorf("%s/%s reads %s, which docs/configuration.md does not name", room, file, m[1])
				}
			}
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
