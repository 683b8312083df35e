package character

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/teapot-tee/teapot/agent/json5"
	"github.com/teapot-tee/teapot/agent/uuid"
)

// shared opens a file of the project's shared vectors, or skips.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	dir := os.Getenv("TEAPOT_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Skipf("the shared vectors are not here: %v", err)
	}
	return data
}

type validationCase struct {
	Case     string                     `json:"case"`
	Override map[string]json.RawMessage `json:"override"`
	OK       bool                       `json:"ok"`
	Errors   []struct{ Path, Code, Message string }
	Kept     []string `json:"kept_unknown"`
}

// missing maps the vectors whose override is "delete this member" to the member; JSON has no undefined.
var missing = map[string]string{
	"noName": "name", "noProvider": "modelProvider", "bioMissing": "bio", "loreMissing": "lore", "clientsMissing": "clients",
	"pluginsMissing": "plugins", "styleMissing": "style", "topicsMissing": "topics",
}

func minimal() json5.Value {
	empty := json5.Value{Kind: json5.Array}
	style := json5.Value{}.Set("all", empty).Set("chat", empty).Set("post", empty)
	doc := json5.Value{}.Set("name", json5.Str("X")).Set("modelProvider", json5.Str("openai")).Set("bio", json5.Str("b"))
	for _, list := range []string{"lore", "messageExamples", "postExamples", "topics", "adjectives", "clients", "plugins"} {
		doc = doc.Set(list, empty)
	}
	return doc.Set("style", style)
}

func (c validationCase) document(t *testing.T) json5.Value {
	doc := minimal()
	for name, raw := range c.Override {
		v, err := json5.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		doc = doc.Set(name, v)
	}
	if name, ok := missing[c.Case]; ok {
		doc = doc.Without(func(n string) bool { return n == name })
	}
	return doc
}

func TestValidationVectors(t *testing.T) {
	var vectors struct {
		Cases []validationCase `json:"character_validation"`
	}
	if err := json.Unmarshal(shared(t, "vectors/eliza.json"), &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.Cases) < 39 {
		t.Fatalf("only %d cases", len(vectors.Cases))
	}
	for _, c := range vectors.Cases {
		t.Run(c.Case, func(t *testing.T) { checkValidation(t, c) })
	}
}

func checkValidation(t *testing.T, c validationCase) {
	doc := c.document(t)
	problems := Validate(doc)
	type plain struct{ Path, Code, Message string }
	var got, want []plain
	for _, p := range problems {
		got = append(got, plain{p.Path, p.Code, p.Message})
		if p.Expected == "" {
			t.Errorf("%s does not say what is expected", p.Path)
		}
	}
	for _, e := range c.Errors {
		want = append(want, plain(e))
	}
	if diff := cmp.Diff(want, got); diff != "" || c.OK != (len(problems) == 0) {
		t.Errorf("ok %v; problems (-want +got):\n%s", c.OK, diff)
	}
	for _, name := range c.Kept {
		if _, ok := fromDocument(doc).Document.Get(name); !ok {
			t.Errorf("unknown member %s was dropped", name)
		}
	}
}

func TestStringToUUIDVectors(t *testing.T) {
	var vectors struct {
		Cases []struct {
			In  any
			Out string
		} `json:"string_to_uuid"`
		Valid []struct {
			In  string
			Out *string
		} `json:"validate_uuid"`
	}
	if err := json.Unmarshal(shared(t, "vectors/eliza.json"), &vectors); err != nil {
		t.Fatal(err)
	}
	for _, c := range vectors.Cases {
		in, ok := c.In.(string)
		if !ok {
			in = "123" // the one number: Eliza prints it first
		}
		if got, err := uuid.FromText(in); err != nil || got != c.Out {
			t.Errorf("%q: got %s, %v; want %s", in, got, err, c.Out)
		}
	}
	for _, c := range vectors.Valid {
		if uuid.Valid(c.In) != (c.Out != nil) {
			t.Errorf("Valid(%q) = %v", c.In, uuid.Valid(c.In))
		}
	}
	if _, err := uuid.FromText("a\xed\xa0\x80"); err == nil {
		t.Error("a lone surrogate was accepted")
	}
}
