package verify_test

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/verify"
)

type schema struct {
	Properties map[string]struct {
		Enum []any `json:"enum"`
	} `json:"properties"`
	Required []string          `json:"required"`
	Defs     map[string]schema `json:"$defs"`
}

// The schema in docs/ names exactly the members that a Result has.
func TestSchemaNamesEveryMember(t *testing.T) {
	text, err := os.ReadFile("../docs/verdict.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		schema schema
		of     reflect.Type
	}{
		"result": {s, reflect.TypeFor[verify.Result]()},
		"check":  {s.Defs["check"], reflect.TypeFor[appraisal.Check]()},
		"agent":  {s.Defs["agent"], reflect.TypeFor[verify.AgentResult]()},
	} {
		var members []string
		for i := range c.of.NumField() {
			tag, options, _ := strings.Cut(c.of.Field(i).Tag.Get("json"), ",")
			if tag == "-" {
				continue
			}
			members = append(members, tag)
			if _, ok := c.schema.Properties[tag]; !ok {
				t.Errorf("%s: the schema does not know %q", name, tag)
			}
			if always := !strings.Contains(options, "omit"); always != slices.Contains(c.schema.Required, tag) {
				t.Errorf("%s: %q is always there: %v; the schema says otherwise", name, tag, always)
			}
		}
		for tag := range c.schema.Properties {
			if !slices.Contains(members, tag) {
				t.Errorf("%s: the schema names %q, which is nowhere", name, tag)
			}
		}
	}
	links := s.Defs["check"].Properties["link"].Enum
	p := begin(t, t.TempDir())
	for _, c := range appraise(t, p.look(t), simulated()).Checks {
		if !slices.Contains(links, any(c.Link)) {
			t.Errorf("check %s: link %q is not in the schema", c.ID, c.Link)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	f.Add([]byte("TEAPOT-BUNDLE\x00\x01\n"))
	f.Add([]byte(`{"a":[1,{"type":"x"}],"type":"teapot/receipt/v1"}`))
	f.Add([]byte("<!DOCTYPE html>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, err := verify.Recognise(b)
		if (kind == "") == (err == nil) {
			t.Fatalf("kind %q with error %v", kind, err)
		}
	})
}

func TestForeignTextCannotDriveTheTerminal(t *testing.T) {
	for _, s := range []string{"\x1b[2J", "a\nb", "\u202eevil", "x\x00", "\u2028"} {
		if got := verify.Clean(s); strings.ContainsAny(got, "\x1b\n\x00\u202e\u2028") {
			t.Errorf("%q became %q", s, got)
		}
	}
	if got := verify.Clean(strings.Repeat("é", 5000)); len(got) > 1100 {
		t.Errorf("%d bytes", len(got))
	}
}

func TestWhatIsNoEvidenceIsNotJudged(t *testing.T) {
	for name, head := range map[string]string{"png": "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "random": "\x9e\xa8\x01\x7f\xff\x00", "elf": "\x7fELF\x02\x01\x01\x00"} {
		if kind, err := verify.Recognise([]byte(head)); err == nil {
			t.Errorf("%s is recognised as %q", name, kind)
		}
	}
	for name, head := range map[string]string{"v4": "\x04\x00\x02\x00\x81\x00\x00\x00", "v6": "\x06\x00\x02\x00", "hex": "0400020081", "base64": "BAACAIEAAAA="} {
		if kind, err := verify.Recognise([]byte(head)); kind != verify.KindQuote {
			t.Errorf("%s is recognised as %q, %v", name, kind, err)
		}
	}
}
