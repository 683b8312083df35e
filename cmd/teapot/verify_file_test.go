package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/verify"
)

func TestWhatCanBeJudgedInAFile(t *testing.T) {
	noise := strings.Repeat("\xff\xff", 40)
	quote := "\x04\x00\x02\x00\x81\x00\x00\x00" + strings.Repeat("\x11", 100)
	b64, x := base64.StdEncoding.EncodeToString, func(s string) string { return hex.EncodeToString([]byte(s)) }
	receipt := `{"type":"teapot/receipt/v1","checkpoint":"x"}`
	other := `{"type":"teapot/receipt/v1","checkpoint":"y"}`
	for name, c := range map[string]struct {
		file string
		kind verify.Kind // "": cannot be judged
	}{
		"quote in hex":                  {x(quote), verify.KindQuote},
		"quote in a log line":           {"quote is " + x(quote) + " they say", verify.KindQuote},
		"damaged quote in hex":          {x(noise), verify.KindQuote},
		"damaged quote, called one":     {`{"quote":"` + x(noise) + `","event_log":"[]"}`, verify.KindQuote},
		"an answer with any base64":     {`{"leaf":"` + b64([]byte(noise)) + `"}`, ""},
		"a checkpoint":                  {"teapot/x\n4\n" + b64([]byte(noise)) + "\n\n— teapot/x " + b64([]byte(noise)) + "\n", ""},
		"an answer of the agent":        {`[{"user":"x","text":"hi","receipt":` + receipt + `}]`, verify.KindReceipt},
		"two replies, one receipt":      {`[{"receipt":` + receipt + `},{"receipt":` + receipt + `}]`, verify.KindReceipt},
		"one reply":                     {`{"text":"hi","receipt":` + receipt + `}`, verify.KindReceipt},
		"two receipts":                  {`[{"receipt":` + receipt + `},{"receipt":` + other + `}]`, ""},
		"an answer without receipt":     {`[{"user":"x","text":"hi"}]`, ""},
		"a receipt of another software": {`[{"receipt":{"type":"shop","total":"1"}}]`, ""},
	} {
		kind, file, err := judgeableIn([]byte(c.file))
		if (err == nil) != (c.kind != "") || err == nil && kind != c.kind {
			t.Errorf("%s: %q, %v", name, kind, err)
		}
		if c.kind == verify.KindReceipt && err == nil && (!json.Valid(file) || string(file) != receipt) {
			t.Errorf("%s: %s", name, file)
		}
	}
}
