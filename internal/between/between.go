// Package between plays whoever stands between a reader and a server, in tests and in the demo: a reverse proxy that passes answers on
// or changes them. It trusts nothing and nothing rests on it; it is not part of the product.
package between

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
)

// Proxy passes requests on to where upstream points at that moment. change, which may be nil, may replace an answer before it goes on.
func Proxy(upstream func() *url.URL, change func(*http.Response) error) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(upstream()) },
		Transport:      wholeRequests{},
		ModifyResponse: change,
		FlushInterval:  -1, // live streams pass at once
	}
}

// wholeRequests reads a request to its end before it sends it. Streamed on, a request whose answer comes before net/http has seen the
// end of the body loses its connection: the server side closes the body with the first bytes of the answer, and the transport, still
// looking for surplus bytes, calls that a failed write.
type wholeRequests struct{}

func (wholeRequests) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return http.DefaultTransport.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	whole := r.Clone(r.Context())
	whole.Body, whole.ContentLength = http.NoBody, int64(len(body))
	if len(body) > 0 {
		whole.Body = io.NopCloser(bytes.NewReader(body))
	}
	return http.DefaultTransport.RoundTrip(whole)
}

// Answered reads an answer whole and closes it; a cut answer is as long as what came.
func Answered(resp *http.Response) []byte {
	b, _ := io.ReadAll(resp.Body) // whoever asked judges it
	_ = resp.Body.Close()         // it was read
	return b
}

// Replace puts other bytes in the place of an answer's body.
func Replace(resp *http.Response, b []byte) {
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	resp.Header.Del("Content-Length")
}
