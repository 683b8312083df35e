//go:build js

// Command teapot-wasm is the verifier in the reader's browser: package verify behind functions from byte strings and a
// JSON text to a JSON text, in the global object `teapot` (docs/formats/page-verifier.md).
//
// It fetches nothing and remembers nothing but collateral that it verified: the page brings every byte and the time.
// A failure is returned as a JavaScript Error value.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"syscall/js"

	"github.com/teapot-tee/teapot/web/page"
)

func main() {
	p := &page.Page{Progress: progress}
	exports := map[string]any{}
	for name, answer := range operations(p) {
		exports[name] = js.FuncOf(func(_ js.Value, args []js.Value) any { return call(answer, args) })
	}
	js.Global().Set("teapot", exports)
	select {} // the functions stay callable
}

// operation answers one question: byte strings and options in, a value for JSON out.
type operation func(files [][]byte, options []byte) (any, error)

// call turns JavaScript's arguments into Go's and the answer into a JSON text. A panic is an answer too: it must not end
// the verifier of a page that has other questions.
func call(answer operation, args []js.Value) (out any) {
	defer func() {
		if r := recover(); r != nil {
			out = failure(fmt.Errorf("internal: %v", r))
		}
	}()
	if len(args) == 0 || args[len(args)-1].Type() != js.TypeString {
		return failure(errors.New("the last argument is the options, as JSON"))
	}
	var files [][]byte
	for _, a := range args[:len(args)-1] {
		b := make([]byte, a.Get("length").Int())
		js.CopyBytesToGo(b, a)
		files = append(files, b)
	}
	v, err := answer(files, []byte(args[len(args)-1].String()))
	if err != nil {
		return failure(err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return failure(err)
	}
	return string(text)
}

func failure(err error) any { return js.Global().Get("Error").New(err.Error()) }

func progress(done, total uint64) {
	if f := js.Global().Get("teapotProgress"); f.Type() == js.TypeFunction {
		f.Invoke(float64(done), float64(total))
	}
}
