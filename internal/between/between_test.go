package between

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

const surplus = 256 << 10 // an answer that takes more than one read

func TestRequestsArriveWholeAndAnswersAreChanged(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = w.Write([]byte("got " + string(b) + strings.Repeat(" ", surplus)))
	}))
	defer upstream.Close()
	target, err := url.Parse(upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(Proxy(func() *url.URL { return target }, func(r *http.Response) error {
		Replace(r, []byte(strings.ToUpper(string(Answered(r)))))
		return nil
	}))
	defer front.Close()
	for range 100 {
		resp, err := http.Post(front.URL, "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || strings.TrimSpace(string(b)) != "GOT HELLO" {
			t.Fatalf("%d bytes: %v", len(b), err)
		}
	}
}
