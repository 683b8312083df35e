package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestOneAddressCannotTakeAllQuotes(t *testing.T) {
	now := time.Unix(1, 0)
	h := QuoteShare(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), func() time.Time { return now })
	ask := func(from, method, target string) int {
		r := httptest.NewRequest(method, target, nil)
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	taken := 0
	for range 60 {
		if ask("192.0.2.1:9", "POST", "/v1/session") == http.StatusOK {
			taken++
		}
	}
	if taken != 20 {
		t.Errorf("one address took %d", taken)
	}
	for _, target := range []string{"/tee/agents", "/v1/agents/x/bundle?nonce=00"} {
		if got := ask("192.0.2.1:10", "GET", target); got != http.StatusTooManyRequests {
			t.Errorf("%s: %d", target, got)
		}
	}
	for _, c := range [][2]string{{"192.0.2.1:9", "/v1/agents/x/bundle"}, {"192.0.2.2:9", "/v1/session"}, {"127.0.0.1:9", "/v1/session"}} {
		if got := ask(c[0], "GET", c[1]); got != http.StatusOK {
			t.Errorf("%v: %d", c, got)
		}
	}
	quoted := 0
	message := QuoteShare(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if MayQuote(r.Context()) {
			quoted++
		}
	}), func() time.Time { return now })
	for range 60 {
		r := httptest.NewRequest("POST", "/Eliza/message", nil)
		r.RemoteAddr = "192.0.2.1:9"
		message.ServeHTTP(httptest.NewRecorder(), r)
	}
	if quoted != 20 || !MayQuote(t.Context()) {
		t.Errorf("one address had %d quotes made by messages", quoted)
	}
	if now = now.Add(3 * time.Second); ask("192.0.2.1:9", "POST", "/v1/session") != http.StatusOK {
		t.Error("the share never comes back")
	}
}

func TestOneAddressCannotFillTheMemoryOfSealedRequests(t *testing.T) {
	now := time.Unix(1, 0)
	h := SealedShare(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), func() time.Time { return now })
	ask := func(from, enc string) int {
		r := httptest.NewRequest(http.MethodPost, "/x", http.NoBody)
		r.RemoteAddr = from
		if enc != "" {
			r.Header.Set("Ehbp-Encapsulated-Key", enc)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	passed := 0
	for range 300 {
		if ask("192.0.2.1:9", "00") == http.StatusOK {
			passed++
		}
	}
	if passed != 100 {
		t.Errorf("one address sent %d", passed)
	}
	for _, c := range [][2]string{{"192.0.2.1:9", ""}, {"192.0.2.2:9", "00"}, {"127.0.0.1:9", "00"}} {
		if got := ask(c[0], c[1]); got != http.StatusOK {
			t.Errorf("%v: %d", c, got)
		}
	}
}
