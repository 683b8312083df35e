package attest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStrangeDirectory(t *testing.T) {
	for _, c := range []struct {
		path    string
		refused bool
		log     bool
	}{
		{"notes.txt", true, false},
		{"PG_VERSION", true, false},
		{"base/1", true, false},
		{"log/store.json", true, true},
		{"log/nothing", false, false},
		{"character.json", false, false},
		{"teapot.toml", false, false},
		{"token", false, false},
		{".profile", false, false},
		{"lost+found/1", false, false},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, c.path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		err := Claim(dir, named{"simulator", "d1"})
		var strange *StrangeDataError
		if errors.As(err, &strange) != c.refused || c.refused && (strange.Log != c.log || !strings.Contains(err.Error(), dir)) {
			t.Errorf("%s: %v", c.path, err)
		}
		if _, statErr := os.Stat(filepath.Join(dir, RecordName)); (statErr == nil) == c.refused {
			t.Errorf("%s: refused %v, record: %v", c.path, c.refused, statErr)
		}
	}
}
