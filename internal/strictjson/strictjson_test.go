package strictjson

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, good := range []string{`{}`, `[]`, `1`, `"x"`, `null`, ` {"a":{"b":1},"c":[{"a":1},{"a":2}]} `} {
		if err := Check([]byte(good)); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{``, `{`, `{"a":1,"a":2}`, `{"a":1,"A":2}`, `{"s":1,"ſ":2}`, "{\"k\":1,\"\u212a\":2}", `[{"b":{"a":1,"a":1}}]`, `{}{}`, `{} x`, `{"a":1,"\u0061":2}`, `]`, strings.Repeat("[", 100) + strings.Repeat("]", 100)} {
		if Check([]byte(bad)) == nil {
			t.Errorf("%.40s: accepted", bad)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":[1,{"b":null}]}`, `{"a":1,"A":2}`, `"\ud800"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if Check(raw) == nil && !json.Valid(raw) {
			t.Fatalf("%q is no JSON and passed", raw)
		}
	})
}
