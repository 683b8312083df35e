package express_test

import (
	"testing"

	"github.com/teapot-tee/teapot/server/express"
)

// What JSON.stringify(JSON.parse(x)) of Node gives for each of these is x.
func TestEncodeIsWhatJavaScriptWrites(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{"<b>&'\"/\\", `"<b>&'\"/\\"`},
		{"\b\t\n\f\r\x00\x1f\x7f", `"\b\t\n\f\r\u0000\u001f` + "\x7f" + `"`},
		{"\u2028\u2029é你🙂\ufffd", "\"\u2028\u2029é你🙂\ufffd\""},
		{`\u2028 and \\u2029`, `"\\u2028 and \\\\u2029"`},
		{"\\\u2028", "\"\\\\\u2028\""},
		{[]any{1, 1735200000000, true, nil, ""}, `[1,1735200000000,true,null,""]`},
	} {
		if got, err := express.Encode(c.value); err != nil || string(got) != c.want {
			t.Errorf("%q: got %s, want %s, %v", c.value, got, c.want, err)
		}
	}
}
