package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"

	"github.com/teapot-tee/teapot/server/access"
)

func TestMetricsNeedTheTokenAndCountRequests(t *testing.T) {
	m := &Metrics{set: metrics.NewSet(), token: access.NewToken("t")}
	mux := http.NewServeMux()
	m.Register(mux)
	h := m.Count(mux)
	for range 3 {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/nobody/"+strings.Repeat("x", 50), nil))
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != http.StatusUnauthorized {
		t.Errorf("without a token: %d", w.Code)
	}
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Header.Set("Authorization", "Bearer t")
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), `teapot_http_requests_total{kind="other",method="GET",status="4xx"} 4`) {
		t.Errorf("%s", w.Body)
	}
	if !strings.Contains(w.Body.String(), `teapot_http_seconds{kind="other",quantile="0.5"}`) || strings.Contains(w.Body.String(), "vmrange") {
		t.Errorf("durations that Prometheus cannot read:\n%s", w.Body)
	}
	if strings.Contains(w.Body.String(), "xxxx") {
		t.Error("a path became a label")
	}
}
