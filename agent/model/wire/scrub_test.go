package wire

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

// TestTheKeyNeverComesBack reads answers in every rhythm in which they can arrive.
func TestTheKeyNeverComesBack(t *testing.T) {
	const key = "sk-abcabcd-0123456789"
	header := http.Header{"Authorization": {"Bearer " + key}}
	for in, want := range map[string]string{
		"":                                "",
		"nothing of it":                   "nothing of it",
		key:                               "***",
		"Incorrect API key: " + key + ".": "Incorrect API key: ***.",
		"sk-abc" + key + key + "sk-abc":   "sk-abc******sk-abc",
		key[:20]:                          key[:20],
		strings.Repeat(key+" ", 500):      strings.Repeat("*** ", 500),
	} {
		for name, rhythm := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "byte": iotest.OneByteReader, "half": iotest.HalfReader, "error with data": iotest.DataErrReader,
		} {
			got, err := io.ReadAll(withoutKey(rhythm(strings.NewReader(in)), header))
			if err != nil || string(got) != want {
				t.Errorf("%s, %.30q: %.60q, %v", name, in, got, err)
			}
		}
	}
	if got, err := io.ReadAll(withoutKey(strings.NewReader("abc"), http.Header{"Authorization": {"Bearer abc"}})); err != nil || string(got) != "abc" {
		t.Errorf("%q, %v", got, err)
	}
	broken := withoutKey(io.MultiReader(bytes.NewReader([]byte("sk-a")), iotest.ErrReader(io.ErrUnexpectedEOF)), header)
	if got, err := io.ReadAll(broken); !errors.Is(err, io.ErrUnexpectedEOF) || string(got) != "sk-a" {
		t.Errorf("%q, %v", got, err)
	}
}
