package server

import (
	"log/slog"
	"net/http"
	"sync"

	"github.com/teapot-tee/teapot/server/limit"
)

// unnamedProxy says once, to the operator, that a reverse proxy on this machine was not named: its clients then have no rate of their
// own, and those that name no user share one room.
func unnamedProxy(next http.Handler, named limit.Proxies, logger *slog.Logger) http.Handler {
	if len(named) > 0 {
		return next
	}
	var once sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Forwarded-For") != "" && limit.Local(r) {
			once.Do(func() {
				logger.WarnContext(r.Context(), "a proxy on this machine passes requests on, and all its clients count as this machine; name it with --trusted-proxy", "proxy", limit.Client(r))
			})
		}
		next.ServeHTTP(w, r)
	})
}
