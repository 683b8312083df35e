//go:build browser

package browsertest

import (
	"net/http/httptest"
	"testing"

	"github.com/teapot-tee/teapot/web"
)

func site(t *testing.T) string {
	t.Helper()
	h, err := web.Handler(web.Options{Reports: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}
