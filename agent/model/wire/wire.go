// Package wire makes one HTTP exchange with a model provider and keeps its exact bytes and the TLS identity of the other
// side. A provider that quotes the key it was sent is the exception: the key becomes *** before anybody reads the answer. It bounds what it reads and how long it waits, follows no redirect, and sends the key to the configured endpoint only.
package wire

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/teapot-tee/teapot/agent/model"
)

// MaxAnswer is the number of bytes of an answer that are read.
const MaxAnswer = 4 << 20

// Client makes exchanges. The zero value works.
type Client struct {
	HTTP *http.Client // nil: a client of its own, without redirects
}

// New returns a client over h; nil is NewHTTP, made once so that its connections are used again.
func New(h *http.Client) Client {
	if h == nil {
		h = NewHTTP()
	}
	return Client{HTTP: h}
}

// NewHTTP returns the client that model calls use: it follows no redirect, because a redirect would carry the prompt elsewhere.
func NewHTTP() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	transport.ResponseHeaderTimeout = 2 * time.Minute
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Call is one exchange to make.
type Call struct {
	URL    string
	Header http.Header
	Body   []byte
	// Event receives the data of each server-sent event if the answer is a stream; nil reads it whole.
	Event func(data []byte) error
	// Line receives each line of an answer of newline-delimited JSON; nil reads it whole.
	Line func(data []byte) error
}

// Do sends the call and fills the exchange, also when it fails.
func (c Client) Do(ctx context.Context, call Call, e *model.Exchange) error {
	e.Request = call.Body
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, call.URL, bytes.NewReader(call.Body))
	if err != nil {
		return fmt.Errorf("calling the model: %w", err)
	}
	req.Header = call.Header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.client().Do(req)
	if err != nil {
		return fmt.Errorf("calling the model: %w", err)
	}
	defer resp.Body.Close()
	e.Status, e.TLS = resp.StatusCode, identity(resp.TLS)
	return read(resp, call, e)
}

func (c Client) client() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	return NewHTTP()
}

func read(resp *http.Response, call Call, e *model.Exchange) error {
	kept := &keeper{}
	body := io.TeeReader(io.LimitReader(withoutKey(resp.Body, call.Header), MaxAnswer+1), kept)
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")) // an empty type is no stream
	var err error
	switch {
	case call.Event != nil && media == "text/event-stream" && resp.StatusCode == http.StatusOK:
		err = events(body, call.Event)
	case call.Line != nil && resp.StatusCode == http.StatusOK:
		err = eachLine(body, call.Line)
	default:
		_, err = io.Copy(io.Discard, body)
	}
	e.Response = kept.bytes()
	if e.Truncated = kept.size > MaxAnswer; e.Truncated {
		return fmt.Errorf("the model answered more than %d bytes", MaxAnswer)
	}
	if err != nil {
		return fmt.Errorf("reading the model's answer: %w", err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return &model.StatusError{Status: resp.StatusCode, Body: string(e.Response[:min(512, len(e.Response))])}
	}
	return nil
}

// keeper keeps at most MaxAnswer bytes and counts all.
type keeper struct {
	buf  bytes.Buffer
	size int
}

func (k *keeper) Write(p []byte) (int, error) {
	k.size += len(p)
	k.buf.Write(p[:min(len(p), MaxAnswer-k.buf.Len())])
	return len(p), nil
}

func (k *keeper) bytes() []byte { return k.buf.Bytes() }

// identity is what the other side of a TLS connection proved; nil without TLS.
func identity(state *tls.ConnectionState) *model.TLS {
	if state == nil || len(state.PeerCertificates) == 0 {
		return nil
	}
	leaf := state.PeerCertificates[0]
	return &model.TLS{
		Version: tls.VersionName(state.Version), Cipher: tls.CipherSuiteName(state.CipherSuite), ServerName: state.ServerName,
		LeafSHA256: digest(leaf.Raw), SPKISHA256: digest(leaf.RawSubjectPublicKeyInfo), Issuer: leaf.Issuer.String(),
	}
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// ErrStop ends a stream early without an error.
var ErrStop = errors.New("the stream is complete")
