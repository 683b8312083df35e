package character

import (
	_ "embed"
)

//go:embed teapot.character.json
var builtin []byte

// Default is the built-in character. It needs no service: its model is the embedded offline one.
func Default(env map[string]string) *Character {
	c, err := Parse(builtin, Options{Strict: true, Env: env})
	if err != nil {
		panic("internal: the built-in character is invalid: " + err.Error())
	}
	return c
}
