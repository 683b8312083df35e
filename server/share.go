package server

import (
	"net/http"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/server/limit"
	"github.com/teapot-tee/teapot/server/problem"
)

// QuoteShare gives each address its own share of the quotes that all share, so that one stranger who asks without end does not keep
// everybody else from verifying. Peers on the same machine (a reverse proxy speaks for many) have the common budget only.
func QuoteShare(next http.Handler, now func() time.Time) http.Handler {
	shares := &limit.PerAddress{Rate: 0.5, Burst: 20}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asksForQuote(r) && !limit.Local(r) && !shares.Allow(r, now()) {
			w.Header().Set("Retry-After", "2")
			problem.Write(w, http.StatusTooManyRequests, "too many quotes", "this address asked for its share of the quotes that the platform makes", "wait a few seconds; what needs no fresh quote is still answered")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// asksForQuote: the routes that may have a quote made for whoever asks. A message may too, but messages have a limit of their own.
func asksForQuote(r *http.Request) bool {
	path := r.URL.Path
	return path == "/v1/session" || strings.HasPrefix(path, "/tee/") || strings.HasSuffix(path, "/bundle") && r.URL.Query().Has("nonce")
}
