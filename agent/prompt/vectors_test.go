package prompt

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type inOut[I, O any] struct {
	In  I
	Out O
}

func vectors(t *testing.T, into any) {
	t.Helper()
	dir := os.Getenv("TEAPOT_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	data, err := os.ReadFile(filepath.Join(dir, "vectors/eliza.json"))
	if err != nil {
		t.Skipf("the shared vectors are not here: %v", err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func TestParserVectors(t *testing.T) {
	var v struct {
		Object  []inOut[string, any]   `json:"parse_json_object_from_text"`
		Array   []inOut[string, []any] `json:"parse_json_array_from_text"`
		Boolean []inOut[string, *bool] `json:"parse_boolean"`
	}
	vectors(t, &v)
	if len(v.Object) < 26 {
		t.Fatalf("only %d object vectors", len(v.Object))
	}
	for _, c := range v.Object {
		if diff := cmp.Diff(c.Out, Object(c.In)); diff != "" {
			t.Errorf("Object(%q) (-want +got):\n%s", c.In, diff)
		}
	}
	for _, c := range v.Array {
		if diff := cmp.Diff(c.Out, Array(c.In)); diff != "" {
			t.Errorf("Array(%q) (-want +got):\n%s", c.In, diff)
		}
	}
	for _, c := range v.Boolean {
		got, ok := Boolean(c.In)
		if ok != (c.Out != nil) || ok && got != *c.Out {
			t.Errorf("Boolean(%q) = %v, %v", c.In, got, ok)
		}
	}
}

func TestComposeVectors(t *testing.T) {
	var v struct {
		Compose []struct {
			Template, Out string
			State         map[string]any
		} `json:"compose_context"`
		Ago []struct {
			Ms  int64 `json:"ago_ms"`
			Out string
		} `json:"format_timestamp"`
		Messages string                    `json:"format_messages"`
		Header   []inOut[[]string, string] `json:"add_header"`
	}
	vectors(t, &v)
	for _, c := range v.Compose {
		state := map[string]string{}
		for name, value := range c.State {
			if value != nil {
				text, _ := json.Marshal(value)
				if s, ok := value.(string); ok {
					text = []byte(s)
				}
				state[name] = string(text)
			}
		}
		if got := Compose(c.Template, state); got != c.Out {
			t.Errorf("Compose(%q) = %q, want %q", c.Template, got, c.Out)
		}
	}
	for _, c := range v.Ago {
		if got := Ago(time.Duration(c.Ms) * time.Millisecond); got != c.Out {
			t.Errorf("Ago(%d ms) = %q, want %q", c.Ms, got, c.Out)
		}
	}
	for _, c := range v.Header {
		if got := Header(c.In[0], c.In[1]); got != c.Out {
			t.Errorf("Header(%q) = %q, want %q", c.In, got, c.Out)
		}
	}
	now := time.Unix(1_700_000_000, 0)
	got := Messages([]Line{
		{User: "ffffffff", Text: "older", At: now.Add(-2 * time.Hour), Attachments: []Attachment{{ID: "1", Title: "t", URL: "u"}}},
		{User: "xxabcde", Name: "Ann", Text: "newest", Action: "NONE", At: now},
	}, now)
	if got != v.Messages {
		t.Errorf("Messages:\n%s\nwant\n%s", got, v.Messages)
	}
}

func TestTextVectors(t *testing.T) {
	var v struct {
		Truncate []inOut[[]any, string] `json:"truncate_to_complete_sentence"`
	}
	vectors(t, &v)
	for _, c := range v.Truncate {
		if got := Truncate(c.In[0].(string), int(c.In[1].(float64))); got != c.Out {
			t.Errorf("Truncate(%q) = %q, want %q", c.In, got, c.Out)
		}
	}
}

func TestReplyKeepsWhatElizaLost(t *testing.T) {
	for in, want := range map[string]Answer{
		`{"text":"a {nested} b","action":"NONE"}`: {Text: "a {nested} b", Action: "NONE"},
		`{"meta":{"b":1},"text":"kept"}`:          {Text: "kept"},
		"Sure:\n```json\n{\"text\":\"x\",}\n```":  {Text: "x"},
		"plain words, no form":                    {Text: "plain words, no form", Plain: true},
		"":                                        {Plain: true},
		"{\"text\":\"line1\nline2\"}":             {Text: "line1\nline2"},
		"think {hm} {\"text\":\"y\"}":             {Text: "y"},
	} {
		got := Reply(in)
		got.Options.Members, got.Options.Kind = nil, 0
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Reply(%q) (-want +got):\n%s", in, diff)
		}
	}
}

func TestReplyIsBounded(t *testing.T) {
	huge := make([]byte, 10<<20)
	for i := range huge {
		huge[i] = "{[\"\\"[i%4]
	}
	start := time.Now()
	if got := Reply(string(huge)); !got.Cut || len(got.Text) > maxReply+3 {
		t.Errorf("10 MB became %d bytes, cut %v", len(got.Text), got.Cut)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

func FuzzReply(f *testing.F) {
	f.Add("```json\n{\"text\":\"x\"}\n```")
	f.Add("{'a': b, \"c\": 'd'")
	f.Fuzz(func(t *testing.T, in string) {
		if got := Reply(in); len(got.Text) > maxReply+3 {
			t.Errorf("%d bytes", len(got.Text))
		}
		Object(in)
		Array(in)
	})
}
