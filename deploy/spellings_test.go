package deploy

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mr-tron/base58"
)

// secrets are what must never come out, by what they are.
type secrets map[string][]byte

// spellings are the ways in which bytes can stand inside other text: as they are, hex, base58, and base64 of both alphabets at each of
// the three places where they can begin inside a longer value.
func spellings(secret []byte) [][]byte {
	h := hex.EncodeToString(secret)
	list := [][]byte{secret, []byte(h), []byte(strings.ToUpper(h)), []byte(base58.Encode(secret))}
	for shift := range 3 {
		padded := append(make([]byte, shift), secret...)
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := enc.EncodeToString(padded[:len(padded)/3*3]) // whole groups: what follows does not change them
			list = append(list, []byte(text)[(shift*8+5)/6:])
		}
	}
	return list
}

// find names the secrets that stand in b in any spelling.
func (s secrets) find(b []byte) []string {
	var found []string
	for _, what := range slices.Sorted(maps.Keys(s)) {
		if slices.ContainsFunc(spellings(s[what]), func(text []byte) bool { return bytes.Contains(b, text) }) {
			found = append(found, what)
		}
	}
	return found
}

// TestTheSearchFinds: a search that finds nothing would prove nothing.
func TestTheSearchFinds(t *testing.T) {
	s := secrets{"it": []byte("canary-of-the-search-0123456789")}
	for name, text := range map[string]string{
		"plain":  "x" + string(s["it"]) + "y",
		"hex":    "x" + hex.EncodeToString(s["it"]),
		"base58": "x" + base58.Encode(s["it"]) + "y",
		"b64+0":  base64.StdEncoding.EncodeToString(append([]byte("abc"), append(s["it"], "tail"...)...)),
		"b64+1":  base64.StdEncoding.EncodeToString(append([]byte("abcd"), append(s["it"], "ta"...)...)),
		"b64+2":  base64.URLEncoding.EncodeToString(append([]byte("abcde"), append(s["it"], "t"...)...)),
	} {
		if len(s.find([]byte(text))) != 1 {
			t.Errorf("%s is not found", name)
		}
	}
	if found := s.find([]byte("canary-of-another-search")); found != nil {
		t.Errorf("found %v where it is not", found)
	}
}
