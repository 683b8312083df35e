package eliza_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/server/eliza"
)

// A web page that the operator visits posts to the agent on this machine, which programs of the operator's talk to without naming
// anybody. It may talk, as any stranger, and hears nothing of what they said.
func TestAVisitedPageHearsNothingOfThisMachine(t *testing.T) {
	f := start(t)
	a, err := f.life.Start(t.Context(), parse(t, strings.Replace(strings.Replace(tester, `"Tester"`, `"Talker"`, 1), `"llama_local"`, `"openai","modelEndpointOverride":"`+parrot(t).URL+`"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	h := eliza.New(eliza.Options{Agents: f.fleet})
	say := func(host, origin, text string) string {
		r := httptest.NewRequest(http.MethodPost, "http://"+host+"/"+a.ID()+"/message", strings.NewReader("text="+text))
		r.RemoteAddr = "127.0.0.1:40000"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded") // needs no preflight
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Fatalf("HTTP %d %s", w.Code, w.Body)
		}
		return w.Body.String()
	}
	const here = "127.0.0.1:3000"
	say(here, "", "My+name+is+Pineapple")
	for _, page := range [][2]string{{here, "https://evil.example"}, {here, "null"}, {"evil.example:3000", "http://evil.example:3000"}} {
		if got := say(page[0], page[1], "What+is+my+name?"); strings.Contains(got, secretWord) {
			t.Errorf("a page of %s heard: %.300s", page[1], got)
		}
	}
	for _, own := range []string{"", "http://" + here} {
		if got := say(here, own, "What+is+my+name?"); !strings.Contains(got, secretWord) {
			t.Errorf("the program on this machine (origin %q) does not hear itself: %.300s", own, got)
		}
	}
}
