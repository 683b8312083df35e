package stricttoml_test

import (
	"testing"

	"github.com/teapot-tee/teapot/internal/stricttoml"
)

func TestKeys(t *testing.T) {
	for text, ok := range map[string]bool{
		"a = 1\n[b]\nc_d = 'X'\n[[e]]\nf = ['G']\n": true, "not toml": true, "": true,
		"A = 1": false, "a = 1\nA = 2": false, "[b]\nC = 1": false, "[[e]]\nf = 1\n[[e]]\nF = 1": false, "a = { B = 1 }": false, "a = [{ B = 1 }]": false,
	} {
		if err := stricttoml.Keys([]byte(text)); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
