package appcompose

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Name returns the name in the file; "" if there is none.
func (a App) Name() string { return a.document().Name }

// CheckEnv compares the names of the variables to seal with those the measured file allows. A guest drops the others without a
// word, so they are an error; allowed ones without a value are returned, in the file's order.
func (a App) CheckEnv(names []string) (missing []string, err error) {
	allowed := a.document().AllowedEnvs
	var dropped []string
	for _, name := range names {
		if !slices.Contains(allowed, name) {
			dropped = append(dropped, name)
		}
	}
	if len(dropped) > 0 {
		return nil, fmt.Errorf("the guest would drop %s: not in the allowed_envs of app-compose.json", strings.Join(dropped, ", "))
	}
	return slices.DeleteFunc(slices.Clone(allowed), func(name string) bool { return slices.Contains(names, name) }), nil
}

type described struct {
	Name        string   `json:"name"`
	AllowedEnvs []string `json:"allowed_envs"`
}

// document reads the two members that matter here; other people's files may have members that Document lacks.
func (a App) document() described {
	var d described
	_ = json.Unmarshal(a.Bytes, &d) // it is JSON (FromBytes); members of other types read as none
	return d
}
