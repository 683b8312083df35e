// Package stricttoml refuses what the TOML decoder lets pass: a key in other letters than its own. The decoder takes "Per_Day" for
// "per_day", so a file could name one thing twice, and the one that a person overlooks would count.
package stricttoml

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Keys says which key is not in small letters; all keys of Teapot's files are. Text that is no TOML is the decoder's to refuse.
func Keys(text []byte) error {
	var doc map[string]any
	if err := toml.Unmarshal(text, &doc); err != nil {
		return nil //nolint:nilerr // the decoder says it with line and column
	}
	return walk("", doc)
}

func walk(at string, v any) error {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if key != strings.ToLower(key) {
				return fmt.Errorf("unknown key %q: keys are written in small letters", at+key)
			}
			if err := walk(at+key+".", v[key]); err != nil {
				return err
			}
		}
	case []any:
		for _, e := range v {
			if err := walk(at, e); err != nil {
				return err
			}
		}
	}
	return nil
}
