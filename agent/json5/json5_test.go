package json5

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestParseWritesPlainJSON(t *testing.T) {
	for in, want := range map[string]string{
		`{"b":1,"a":[true,null,-1.5e3]}`:              `{"b":1,"a":[true,null,-1.5e3]}`,
		"// c\n{unquoted: 'single', /* x */ t: .5, }": `{"unquoted":"single","t":0.5}`,
		`{"a":1,"a":2}`:                        `{"a":2}`,
		`{"html":"<b>&\u2028"}`:                "{\"html\":\"<b>&\u2028\"}",
		`["\ud83d\ude00","\ud800","\u0001\n"]`: `["😀","\ud800","\u0001\n"]`,
		`[0x10,+5,5.]`:                         `[16,5,5]`,
		"\ufeff\"bom\"":                        `"bom"`,
		"'a\\\nb'":                             `"ab"`,
	} {
		v, err := Parse([]byte(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := string(v.Append(nil)); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestParseSaysWhere(t *testing.T) {
	for in, want := range map[string]string{
		"{\n \"a\": hello}":         "line 2, column 7: expected a value, found the word \"hello\"",
		"{\"a\":1} x":               "line 1, column 9: expected the end",
		"":                          "line 1, column 1: expected a value, found the end of the file",
		"[1 2]":                     "expected ',' or ']'",
		"\"abc":                     "the string that begins here does not end",
		"[Infinity]":                "found the word",
		strings.Repeat("[", 100000): "more than 64 levels",
		"{\"a\" 1}":                 "expected ':'",
		"/* x":                      "does not end",
		"<html>":                    "expected a value, found '<'",
	} {
		_, err := Parse([]byte(in))
		var at *ParseError
		if !errors.As(err, &at) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got %v, want %s", in, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":[1,'x',{b:0x1}]}`))
	f.Add([]byte("\"\\ud800\\udc00\""))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Parse(data)
		if err != nil {
			return
		}
		out := v.Append(nil)
		if !json.Valid(out) {
			t.Fatalf("not JSON: %q", out)
		}
		again, err := Parse(out)
		if err != nil || string(again.Append(nil)) != string(out) {
			t.Fatalf("not stable: %q, %v", out, err)
		}
	})
}
