package server

import (
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/server/access"
	"github.com/teapot-tee/teapot/server/problem"
)

// Metrics counts what the server does, in Prometheus' text format at GET /metrics. Names and labels hold no content, no address and
// no identifier but the agents' public ones. Reading needs the token: rates tell when somebody talks to the agent.
type Metrics struct {
	set     *metrics.Set
	token   access.Token
	process *boot.Process // nil: only requests are counted
	// Logger is told each request in the same words at level debug; nil tells nobody.
	Logger *slog.Logger
	quotes dcap.Verifier
}

// NewMetrics makes the metrics of one process.
func NewMetrics(p *boot.Process, token access.Token, started time.Time) *Metrics {
	m := &Metrics{set: metrics.NewSet(), token: token, process: p}
	m.set.NewGauge("teapot_uptime_seconds", func() float64 { return time.Since(started).Seconds() })
	m.set.NewGauge("teapot_simulated", func() float64 { return boolean(p.Simulated()) })
	m.set.NewGauge("teapot_agents", func() float64 { return float64(len(p.Agents())) })
	m.set.NewGauge("teapot_collateral_days_left", m.daysLeft)
	return m
}

// daysLeft says for how many days the collateral in the evidence can still be used; NaN where there is none.
func (m *Metrics) daysLeft() float64 {
	e := m.process.Evidence()
	c, err := dcap.ParseCollateral(e.Collateral)
	if err != nil {
		return math.NaN()
	}
	now := time.Now()
	r, err := m.quotes.Verify(e.Quote, c, dcap.Options{AllowSimulated: true, At: now})
	if err != nil || r.EarliestExpiration.IsZero() {
		return math.NaN()
	}
	return r.EarliestExpiration.Sub(now).Hours() / 24
}

// logs follows the agents that were started meanwhile.
func (m *Metrics) logs() {
	for _, a := range m.process.Agents() {
		m.set.GetOrCreateGauge(fmt.Sprintf("teapot_log_entries{agent=%q}", a.ID), func() float64 { return float64(a.Log.Size()) })
	}
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Register adds GET /metrics.
func (m *Metrics) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !m.token.Authorized(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			problem.Write(w, http.StatusUnauthorized, "token needed", "metrics tell when somebody talks to the agent", "send Authorization: Bearer with the token from the data directory")
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		if m.process != nil {
			m.logs()
		}
		m.set.WritePrometheus(w)
		metrics.WriteProcessMetrics(w)
	})
}

// Count wraps a handler: requests by kind of route, method and status, and how long they took.
func (m *Metrics) Count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, start := routeKind(r.URL.Path), time.Now()
		watch := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(watch, r)
		labels := fmt.Sprintf("{kind=%q,method=%q,status=%q}", kind, knownMethod(r.Method), strconv.Itoa(watch.status/100)+"xx")
		m.set.GetOrCreateCounter("teapot_http_requests_total" + labels).Inc()
		m.set.GetOrCreateSummary(fmt.Sprintf("teapot_http_seconds{kind=%q}", kind)).UpdateDuration(start)
		if m.Logger != nil {
			m.Logger.DebugContext(r.Context(), "request", "kind", kind, "method", knownMethod(r.Method), "status", watch.status, "took", time.Since(start).Round(time.Microsecond))
		}
	})
}

// routeKind groups paths into few words, so that a stranger cannot make many time series.
func routeKind(path string) string {
	switch {
	case strings.HasPrefix(path, "/v1/session"):
		return "session"
	case strings.HasPrefix(path, "/v1/"):
		return "v1"
	case strings.HasPrefix(path, "/tee/"), strings.HasPrefix(path, "/verifiable/"):
		return "tee"
	case strings.HasSuffix(path, "/message"):
		return "message"
	case strings.HasPrefix(path, "/web/"), path == "/", path == "/explorer", path == "/chat", path == "/dashboard":
		return "page"
	}
	return "other"
}

func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodDelete, http.MethodHead, http.MethodPut:
		return method
	}
	return "other"
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection: streams must flush.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush implements http.Flusher for handlers that ask for it directly.
func (w *statusWriter) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() } // a writer that cannot flush sends at the end
