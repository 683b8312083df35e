package server

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/server/limit"
)

func TestAProxyThatWasNotNamedIsMentionedOnce(t *testing.T) {
	for _, c := range []struct {
		named, peer, header string
		said                int
	}{{"", "127.0.0.1:9", "1.2.3.4", 1}, {"", "127.0.0.1:9", "", 0}, {"", "6.6.6.6:9", "1.2.3.4", 0}, {"127.0.0.1", "127.0.0.1:9", "1.2.3.4", 0}} {
		named, err := limit.ParseProxies([]string{c.named})
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		served := 0
		h := unnamedProxy(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ }), named, slog.New(slog.NewTextHandler(&log, nil)))
		for range 3 {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			r.Header.Set("X-Forwarded-For", c.header)
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
		if got := strings.Count(log.String(), "--trusted-proxy"); got != c.said || served != 3 {
			t.Errorf("%+v: said %d times, %d served", c, got, served)
		}
	}
}
