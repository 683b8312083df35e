package client_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/client"
	"github.com/teapot-tee/teapot/tlog"
)

// TestProxyThatAsksForLessIsNoticed has a proxy that passes everything on but asks the genuine server for less than the reader did:
// whatever comes back is signed and proven, and answers another question.
func TestProxyThatAsksForLessIsNoticed(t *testing.T) {
	p := begin(t, t.TempDir())
	p.talk(t, 6)
	a, _ := p.Agent(eliza)
	if _, err := a.Log.Append(t.Context(), actionlog.Entry{Type: "action", Source: tlog.SourceRuntime, MediaType: "text/plain", Content: []byte("in public")}); err != nil {
		t.Fatal(err)
	}
	h := p.handler()
	for query, id := range map[string]string{"type=never": "entries.complete", "from=3": "entries.complete", "contents=0": "entries.withheld"} {
		address := "http://" + serve(t, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/bundle") {
				r.URL.RawQuery = query
			}
			h.ServeHTTP(w, r)
		}))
		wantFailed(t, mustLook(t, address, client.MemoryAt(t.TempDir()), client.LookOptions{}), id)
	}
}
