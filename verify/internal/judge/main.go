// Command judge prints the Result of each file named on its command line, one JSON line each. It exists for one test: built
// natively and for WASM it must print the same (verify's TestNativeAndWASMGiveTheSameResults).
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/teapot-tee/teapot/verify"
)

func main() {
	at, err := time.Parse(time.RFC3339, os.Args[1])
	if err != nil {
		panic(err)
	}
	for _, path := range os.Args[2:] {
		file, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		fmt.Println(judge(file, at))
	}
}

func judge(file []byte, at time.Time) string {
	kind, err := verify.Recognise(file[:min(len(file), verify.HeadSize)])
	if err != nil {
		return "error: " + err.Error()
	}
	in := verify.Input{Target: "file", Kind: kind, File: file, Log: bytes.NewReader(file)}
	r, err := verify.Appraise(in, verify.Policy{Simulated: "allow"}, at)
	if err != nil {
		return "error: " + err.Error()
	}
	text, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	return string(text)
}
