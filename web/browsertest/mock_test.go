//go:build browser

package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/teapot-tee/teapot/web"
	"github.com/teapot-tee/teapot/web/page"
)

// States that no machine here can produce (genuine hardware, debug, revoked) are drawn from recorded verdicts:
// a stand-in for the worker answers with a file of testdata. This shows the drawing, never the checking.

const fakeWorker = `
window.Worker = class {
  constructor() { this.onmessage = null; }
  postMessage({id, op}) { setTimeout(() => this.onmessage({data: {id, ok: op === "init" ? undefined : JSON.stringify(ANSWERS[op])}}), 5); }
};`

// drawn opens a page whose verifier gives recorded answers.
func drawn(t *testing.T, path string, answers map[string]string) *tab {
	t.Helper()
	h, err := web.Handler(web.Options{Next: recorded()})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	b := newTab(t)
	script := "const ANSWERS = {keys: [], words: " + page.Words() + "};\n"
	for op, file := range answers {
		script += fmt.Sprintf("ANSWERS.%s = %s;\n", op, testdata(t, file))
	}
	b.before(script + fakeWorker)
	b.open(server.URL + path)
	return b
}

// recorded is a server that says just enough for a page to ask its verifier.
func recorded() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"version":"0.1.0","platform":"simulator","simulated":true,"agents":[{"id":"6f1c3e1a-0c55-4c8e-9f5c-2d1e7c8b9a10","name":"Eliza","size":7}]}`)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") })
	return mux
}

func testdata(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
