package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/ratls"
	"github.com/teapot-tee/teapot/server/limit"
	"github.com/teapot-tee/teapot/server/problem"
)

// QuoteShare gives each address its own share of the quotes that all share, so that one stranger who asks without end does not keep
// everybody else from verifying. Peers on the same machine (a reverse proxy speaks for many) have the common budget only.
func QuoteShare(next http.Handler, now func() time.Time) http.Handler {
	shares := &limit.PerAddress{Rate: 0.5, Burst: 20}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		take := func() bool { return limit.Local(r) || shares.Allow(r, now()) }
		if asksForQuote(r) && !take() {
			w.Header().Set("Retry-After", "2")
			problem.Write(w, http.StatusTooManyRequests, "too many quotes", "this address asked for its share of the quotes that the platform makes", "wait a few seconds; what needs no fresh quote is still answered")
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), quoteShare{}, take)))
	})
}

// SealedShare bounds the sealed requests of one address. Opening one costs a decryption before anything of it can be believed, and
// each takes a place in the memory that refuses repeats, which is bounded: who could fill it at will could then repeat what others
// sealed (docs/formats/sealed.md).
func SealedShare(next http.Handler, now func() time.Time) http.Handler {
	shares := &limit.PerAddress{Rate: 10, Burst: 100}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(ratls.HeaderEncapsulated) != "" && !limit.Local(r) && !shares.Allow(r, now()) {
			w.Header().Set("Retry-After", "5")
			problem.Write(w, http.StatusTooManyRequests, "too many sealed requests", "this address sent its share of sealed requests", "wait a few seconds and seal it anew")
			return
		}
		next.ServeHTTP(w, r)
	})
}

type quoteShare struct{}

// MayQuote takes one quote of the share of whoever sent the request that ctx belongs to: a message may have the agent make one, and
// nobody knows before. Where no stranger asks it is true.
func MayQuote(ctx context.Context) bool {
	take, strange := ctx.Value(quoteShare{}).(func() bool)
	return !strange || take()
}

// asksForQuote: the routes that have a quote made for whoever asks. A message may too; MayQuote is asked then.
func asksForQuote(r *http.Request) bool {
	path := r.URL.Path
	return path == "/v1/session" || strings.HasPrefix(path, "/tee/") || strings.HasSuffix(path, "/bundle") && r.URL.Query().Has("nonce")
}
