//go:build browser

package browsertest

import (
	"net/http/httptest"
	"os"
	"testing"

	"github.com/teapot-tee/teapot/web"
)

// States that no machine here can produce (genuine hardware, debug, revoked) are drawn from recorded verdicts:
// a stand-in for the worker answers with a file of testdata. This shows the drawing, never the checking.

const fakeWorker = `
window.Worker = class {
  constructor() { this.onmessage = null; }
  postMessage({id, op}) {
    const answers = { appraise: RESULT, explain: QUOTE };
    setTimeout(() => this.onmessage({data: {id, ok: op === "init" ? undefined : JSON.stringify(answers[op])}}), 5);
  }
};`

func drawn(t *testing.T, result string) *tab {
	t.Helper()
	h, err := web.Handler(web.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	b := newTab(t)
	b.before("const RESULT = " + testdata(t, result) + ", QUOTE = " + testdata(t, "quote.json") + ";" + fakeWorker)
	b.open(server.URL + "/explorer")
	b.fill("#input", "0x04000300810000007369")
	b.click("#check")
	return b
}

func testdata(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
