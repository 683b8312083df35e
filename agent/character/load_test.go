package character

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const plainFile = `{"name":"Plain","modelProvider":"openai","bio":"b","lore":[],"messageExamples":[],"postExamples":[],"topics":["t"],"adjectives":[],"clients":[],"plugins":[],"style":{"all":["parent"],"chat":[],"post":[]}`

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheBuiltInCharacterIsElizas(t *testing.T) {
	c := Default(nil)
	if c.Name != "Teapot" || len(c.Examples) == 0 || len(Validate(c.Document)) != 0 {
		t.Errorf("%+v", c)
	}
}

func TestFilesOfAllKinds(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"old":                 {plainFile + `}`, ""},
		"json5":               {"// Eliza 0.25\n{name: 'Plain', modelProvider: 'openai', bio: ['b',], lore: [], messageExamples: [], postExamples: [], topics: [], adjectives: [], plugins: [], style: {all: [], chat: [], post: []},}", "clients: was missing"},
		"v2":                  {`{"name":"Plain","system":"s","bio":["b"],"messageExamples":[[{"name":"{{user1}}","content":{"text":"hi","actions":["NONE"]}}]],"topics":[],"adjectives":[],"plugins":["@elizaos/plugin-sql","@elizaos/plugin-openai"],"settings":{},"style":{"all":[],"chat":[]}}`, `renamed to "user"`},
		"flat examples":       {strings.Replace(plainFile, `"messageExamples":[]`, `"messageExamples":[{"user":"a","content":{"text":"b"}}]`, 1) + `}`, "one flat list"},
		"knowledge tools":     {plainFile + `,"knowledge":{"documents":["d1","d2"],"chunks":["d"]}}`, "took the 2 texts"},
		"knowledge documents": {plainFile + `,"knowledge":[{"id":"a","text":"d1"},"d2",{"content":"d3"}]}`, "took the 3 texts"},
		"shouting":            {strings.Replace(strings.Replace(plainFile, `"clients":[]`, `"clients":["DISCORD","nope"]`, 1), `"openai"`, `"OPENAI"`, 1) + `}`, "lower case"},
		"extra":               {plainFile + `,"people":["x"],"twitterSpaces":{"a":1}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, t.TempDir(), "plain.character.json", c.file)
			got, err := Load(path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if notes := strings.Join(got.Notes, "; "); c.want == "" && notes != "" || !strings.Contains(notes, c.want) {
				t.Errorf("repairs: %s", notes)
			}
			if got.Name != "Plain" || got.ModelProvider != "openai" {
				t.Errorf("%s, %s", got.Name, got.ModelProvider)
			}
			if name == "extra" && !strings.Contains(string(got.Public()), `"people":["x"],"twitterSpaces":{"a":1}`) {
				t.Errorf("unknown members: %s", got.Public())
			}
			_, err = Load(path, Options{Strict: true})
			if invalid, ok := errors.AsType[*InvalidError](err); c.want != "" && (!ok || len(invalid.Repairs) == 0) {
				t.Errorf("strict: %v", err)
			}
		})
	}
}

func TestBrokenFilesSayWhatIsWrong(t *testing.T) {
	for file, want := range map[string]string{
		`{`: "line 1", `[]`: "(document): Expected object", `{"name": 5}`: "name: Expected string, received number (expected a text",
		plainFile + `,"system":1}`: "system: Expected string", plainFile + `, "style" [] }`: "expected ':'", "": "end of the file",
		strings.Replace(plainFile, `"bio":"b",`, "", 1) + `}`:    "bio: Invalid input (expected a text or a list of texts)",
		strings.Replace(plainFile, `"openai"`, `"gpt"`, 1) + `}`: "received 'gpt'", "<html>": "expected a value", "\xff\xfe": "not UTF-8",
		strings.Replace(plainFile, `"modelProvider":"openai",`, "", 1) + `}`: "modelProvider: Required",
	} {
		_, err := Load(write(t, t.TempDir(), "x.json", file), Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", file, err, want)
		}
	}
}

func TestSearchPaths(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "characters/trump.character.json", plainFile+`}`)
	cwd := filepath.Join(dir, "agent")
	if err := os.Mkdir(cwd, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"character/trump.character.json", "./characters/trump.character.json", "trump.character.json"} {
		if _, err := Load(path, Options{Cwd: cwd}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	_, err := Load("nosuch.json", Options{Cwd: cwd})
	if missing, ok := errors.AsType[*NotFoundError](err); !ok || len(missing.Tried) < 4 {
		t.Errorf("got %v", err)
	}
}

func TestExtendsMergesParents(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "parent.json", plainFile+`,"settings":{"a":1,"b":1}}`)
	child := write(t, dir, "child.json", `{"name":"Child","extends":["./parent.json"],"topics":["mine"],"style":{"all":["child"]},"settings":{"b":2}}`)
	c, err := Load(child, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "Child" || strings.Join(c.Topics, ",") != "t,mine" || strings.Join(c.StyleAll, ",") != "parent,child" {
		t.Errorf("%s %v %v", c.Name, c.Topics, c.StyleAll)
	}
	if a, _ := c.Setting("a"); a != "1" {
		t.Errorf("settings: %s", c.Public())
	}
	loop := write(t, dir, "loop.json", `{"extends":["./loop.json"]}`)
	if _, err := Load(loop, Options{}); err == nil || !strings.Contains(err.Error(), "levels of parents") {
		t.Errorf("a loop: %v", err)
	}
}

func TestSettingsAndSecrets(t *testing.T) {
	env := map[string]string{"K": "env", "E": "env", "CHARACTER.PLAIN.S": "namespaced", "CHARACTER.PLAIN.K2": "lost"}
	c, err := Parse([]byte(plainFile+`,"settings":{"secrets":{"K":"secret","EMPTY":"","K2":"file"},"K":"setting","OPENAI_API_KEY":"sk-1","maxTokens":"5"}}`), Options{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"K": "secret", "E": "env", "S": "namespaced", "K2": "file", "EMPTY": "", "none": ""} {
		if got, _ := c.Setting(key); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	public := string(c.Public())
	for _, secret := range []string{"secret\"", "namespaced", "sk-1", "secrets"} {
		if strings.Contains(public, secret) {
			t.Errorf("the public bytes have %s: %s", secret, public)
		}
	}
	if !strings.Contains(public, `"maxTokens":"5"`) || c.PublicSetting("OPENAI_API_KEY") != "" {
		t.Errorf("public settings: %s", public)
	}
}

func TestTwoCharactersWithOneID(t *testing.T) {
	dir := t.TempDir()
	a, b := write(t, dir, "a.json", plainFile+`}`), write(t, dir, "b.json", plainFile+`}`)
	if _, err := LoadList([]string{a + "," + b}, Options{}); err == nil || !strings.Contains(err.Error(), "same agent id") {
		t.Errorf("got %v", err)
	}
	if got, err := LoadList([]string{a + " , "}, Options{}); err != nil || len(got) != 1 {
		t.Errorf("%d, %v", len(got), err)
	}
}

func TestDotenv(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, ".env", "# c\nexport A=1 # tail\nB=\"two\\nlines\"\nC='x # y'\nD=\nHAVE=no\n")
	sub := filepath.Join(dir, "deep", "er")
	if err := os.MkdirAll(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	env, err := Environment(sub, []string{"HAVE=yes"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"A": "1", "B": "two\nlines", "C": "x # y", "D": "", "HAVE": "yes"} {
		if env[name] != want {
			t.Errorf("%s = %q, want %q", name, env[name], want)
		}
	}
}
