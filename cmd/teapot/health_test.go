package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestHealthIsOneOrZero: container engines know 0 and 1; a server with attested TLS is as healthy as one without.
func TestHealthIsOneOrZero(t *testing.T) {
	teapot := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(`{"version":"x"}`)) })
	plain, secure := httptest.NewServer(teapot), httptest.NewTLSServer(teapot)
	other := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	defer secure.Close()
	defer other.Close()
	for url, want := range map[string]int{
		plain.URL: 0, secure.URL: 0, strings.Replace(secure.URL, "https", "http", 1): 0, other.URL: 1, "http://127.0.0.1:1": 1,
	} {
		var out, errs bytes.Buffer
		if code := execute(t.Context(), []string{"health", "--url", url}, &out, &errs); code != want {
			t.Errorf("%s: %d, want %d: %s", url, code, want, errs.String())
		}
	}
}
