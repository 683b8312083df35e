package client_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/teapot-tee/teapot/client"
)

// A server that rations quotes is asked again after the time it names, and not where it names hours.
func TestSessionWaitsWhereTheServerAsksTo(t *testing.T) {
	for _, c := range []struct {
		after string
		asked int32
	}{{"1", 2}, {"3600", 1}, {"", 1}} {
		var asked atomic.Int32
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if asked.Add(1) == 1 {
				w.Header().Set("Retry-After", c.after)
				w.WriteHeader(http.StatusTooManyRequests)
			}
			_, _ = w.Write([]byte(`{}`))
		}))
		reader, err := client.New(s.URL, client.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = reader.Session(t.Context(), make([]byte, 32), "none")
		var refused *client.Error
		if (err == nil) != (c.asked == 2) || err != nil && (!errors.As(err, &refused) || refused.Status != http.StatusTooManyRequests) || asked.Load() != c.asked {
			t.Errorf("Retry-After %q: asked %d times, %v", c.after, asked.Load(), err)
		}
		s.Close()
	}
}
