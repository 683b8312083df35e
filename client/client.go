// Package client is the Go client of Teapot's REST API and the reader's memory on disk.
//
// It trusts nothing it receives: what comes back is bytes for package verify to judge. TLS certificates are not checked
// against the web's authorities, because a Teapot is known by its quote and not by its name; what replaces the check is
// the session proof on the same connection (verify, "session.channel"). Answers are bounded in size and in time.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxAnswer bounds one JSON answer in bytes: an evidence document with collateral and event log is about 100 KB.
const maxAnswer = 32 << 20

// answerTime bounds one whole answer, idleTime the silence within a stream.
const (
	answerTime = 2 * time.Minute
	idleTime   = time.Minute
)

// Client talks to one Teapot. Safe for concurrent use.
type Client struct {
	base  *url.URL
	http  *http.Client
	token string
}

// Options of a Client. The zero value is right for reading.
type Options struct {
	Transport http.RoundTripper // nil: NewHTTP's; without a token the session proof replaces certificate authorities
	Token     string            // bearer token for routes that change state or show private contents; NewHTTP says whom it is sent to
}

// New makes a client for a base address such as http://127.0.0.1:3000 or https://agent.example.
func New(address string, o Options) (*Client, error) {
	base, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	transport := &http.Client{Transport: o.Transport, CheckRedirect: refuseRedirect}
	if o.Transport == nil {
		if transport, err = NewHTTP(base, o.Token); err != nil {
			return nil, err
		}
	}
	return &Client{base: base, http: transport, token: o.Token}, nil
}

// ParseAddress reads a base address; it must be http or https with a host and without query.
func ParseAddress(address string) (*url.URL, error) {
	base, err := url.Parse(address)
	if _, _, split := net.SplitHostPort(address); split == nil && !strings.Contains(address, "://") {
		return nil, fmt.Errorf("address %q: write http://%s, or https://", address, address)
	}
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", address, err)
	}
	if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.RawQuery != "" || base.User != nil {
		return nil, fmt.Errorf("address %q: want http://HOST:PORT or https://HOST", address)
	}
	base.Path, base.Host = strings.TrimSuffix(base.Path, "/"), strings.ToLower(base.Host) // one spelling: it is the key of the memory
	return base, nil
}

// Address is the base address in its one spelling, the key of the reader's memory.
func (c *Client) Address() string { return c.base.String() }

// Loopback says whether the address names this machine, where there is no network to protect.
func (c *Client) Loopback() bool { return Loopback(c.base) }

// Secure says whether the address is https.
func (c *Client) Secure() bool { return c.base.Scheme == "https" }

// NewTransport makes a transport for one Teapot: TLS 1.3, one connection, so that the session proof covers what follows.
func NewTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second,
		MaxConnsPerHost:       1,
		ForceAttemptHTTP2:     true,
		TLSClientConfig: &tls.Config{
			MinVersion:         tls.VersionTLS13,
			InsecureSkipVerify: true, //nolint:gosec // replaced by the session proof: verify's session.channel
		},
	}
}

// refuseRedirect: evidence is about the address the reader named, so nobody else is asked instead.
func refuseRedirect(req *http.Request, _ []*http.Request) error {
	return fmt.Errorf("the server redirects to %s: give that address if you mean it", req.URL)
}

// answer is one whole reply with the connection it came over.
type answer struct {
	body []byte
	tls  *tls.ConnectionState
}

func (c *Client) get(ctx context.Context, path string, query url.Values) (answer, error) {
	return c.do(ctx, http.MethodGet, path, query, nil)
}

func (c *Client) post(ctx context.Context, path string, body any) (answer, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	return c.do(ctx, http.MethodPost, path, nil, text)
}

func (c *Client) do(ctx context.Context, method, path string, query url.Values, body []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	resp, err := c.send(ctx, method, path, query, body)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return answer{}, &Error{Op: method + " " + path, Cause: "the answer broke off: " + err.Error(), Next: "try again; if it happens again, something between you and the agent cuts answers"}
	}
	if len(text) > maxAnswer {
		return answer{}, &Error{Op: method + " " + path, Cause: fmt.Sprintf("the answer is larger than %d bytes", maxAnswer), Next: "this is not a Teapot, or a hostile one"}
	}
	if !isJSON(resp) && !isText(resp) {
		return answer{}, c.notTeapot(method+" "+path, resp, text)
	}
	return answer{text, resp.TLS}, nil
}

// send makes the request and turns every status but 2xx into an Error. The caller closes the body.
func (c *Client) send(ctx context.Context, method, path string, query url.Values, body []byte) (*http.Response, error) {
	where := c.base.JoinPath(path)
	where.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, where.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json, application/problem+json, text/plain, application/vnd.teapot.bundle")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, Unreachable(c.base, err)
	}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // the status is the news; a cut body is still shown
		return nil, c.refused(method+" "+path, resp, text)
	}
	return resp, nil
}

// decode reads one JSON answer. Unknown members are kept out of sight: newer servers may say more, and nothing here is proof.
func decode[T any](a answer, op string) (T, error) {
	var v T
	err := json.Unmarshal(a.body, &v)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return v, &Error{Op: op, Cause: fmt.Sprintf("the answer is not whole JSON (it breaks at byte %d of %d)", syntax.Offset, len(a.body)), Next: "try again; if it happens again, something between you and the agent cuts or rewrites answers"}
	case err != nil:
		return v, &Error{Op: op, Cause: "the JSON is not what Teapot sends: " + err.Error(), Next: "check that the address is a Teapot of a version this one knows"}
	}
	return v, nil
}

func isJSON(resp *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}

func isText(resp *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return kind == "text/plain"
}
