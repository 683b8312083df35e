package guestapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// benchmark calls in process, over the real simulator: quotes are signed, certificates are issued.
func benchmark(b *testing.B, path, body string) {
	b.Helper()
	s := overSimulator(b)
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

func BenchmarkDeriveKey(b *testing.B) {
	benchmark(b, "/prpc/Tappd.DeriveKey", `{"path":"a/b","subject":"s"}`)
}
func BenchmarkGetKey(b *testing.B) { benchmark(b, "/GetKey", `{"path":"a/b"}`) }
func BenchmarkGetKeyV1(b *testing.B) {
	benchmark(b, "/v1/GetKey", `{"domain":"a/b","algorithm":"secp256k1"}`)
}
func BenchmarkGetQuote(b *testing.B) { benchmark(b, "/GetQuote", `{"report_data":"0102"}`) }

func BenchmarkTdxQuote(b *testing.B) {
	benchmark(b, "/prpc/Tappd.TdxQuote", `{"report_data":"68656c6c6f"}`)
}
