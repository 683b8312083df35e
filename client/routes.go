package client

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Info is GET /v1/: what the server says of itself. Nothing in it is proof.
type Info struct {
	Version   string      `json:"version"`
	Platform  string      `json:"platform"`
	Simulated bool        `json:"simulated"`
	Agents    []AgentInfo `json:"agents"`
	Boot      string      `json:"boot"` // SHA-256 of the newest boot statement
}

// AgentInfo is one agent of Info.
type AgentInfo struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Origin string `json:"origin"`
	Size   uint64 `json:"size"`
}

// Info asks who is there.
func (c *Client) Info(ctx context.Context) (Info, error) {
	a, err := c.get(ctx, "/v1/", nil)
	if err != nil {
		return Info{}, err
	}
	info, err := decode[Info](a, "GET /v1/")
	if err == nil && info.Version == "" {
		return Info{}, &Error{Op: "GET /v1/", Cause: "the JSON does not say a Teapot version", Next: "check the address: this is another kind of server"}
	}
	return info, err
}

// Evidence fetches an Evidence document: the newest boot evidence, or the one with this SHA-256 (hex).
func (c *Client) Evidence(ctx context.Context, digest string) ([]byte, error) {
	a, err := c.get(ctx, strings.TrimSuffix("/v1/evidence/"+digest, "/"), nil)
	return a.body, err
}

// SessionRequest is the body of POST /v1/session.
type SessionRequest struct {
	Nonce   string `json:"nonce"`   // hex, 16 to 64 bytes
	Channel string `json:"channel"` // "tls", "hpke", "none"
}

// Session asks for fresh evidence bound to the nonce and to the connection; it returns the Evidence document and the
// connection it came over (nil without TLS).
//
// Quotes are expensive and servers ration them: where one asks to wait a little, this waits and asks again.
func (c *Client) Session(ctx context.Context, nonce []byte, channel string) ([]byte, *tls.ConnectionState, error) {
	for attempt := 1; ; attempt++ {
		a, err := c.post(ctx, "/v1/session", SessionRequest{hex.EncodeToString(nonce), channel})
		var refused *Error
		if err == nil || attempt == sessionAttempts || !errors.As(err, &refused) || refused.Status != http.StatusTooManyRequests || refused.Wait == 0 || refused.Wait > sessionWait {
			return a.body, a.tls, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, err
		case <-time.After(refused.Wait):
		}
	}
}

// How often a session is asked for, and how long a server may ask to wait in between.
const (
	sessionAttempts = 5
	sessionWait     = 5 * time.Second
)

// ConsistencyProof is GET /v1/agents/{id}/proof: hashes in base64, RFC 9162 section 2.1.4 order.
type ConsistencyProof struct {
	From  uint64   `json:"from"`
	To    uint64   `json:"to"`
	Proof [][]byte `json:"proof"`
}

// Proof fetches the consistency proof between two sizes of the agent's log.
func (c *Client) Proof(ctx context.Context, agent string, from, to uint64) (ConsistencyProof, error) {
	path := "/v1/agents/" + url.PathEscape(agent) + "/proof"
	a, err := c.get(ctx, path, url.Values{"from": {strconv.FormatUint(from, 10)}, "to": {strconv.FormatUint(to, 10)}})
	if err != nil {
		return ConsistencyProof{}, err
	}
	return decode[ConsistencyProof](a, "GET "+path)
}

// BundleQuery selects what a bundle holds. The zero value is the whole log.
type BundleQuery struct {
	Nonce    []byte
	From, To uint64 // indices [From, To); To 0 = the end
	Type     string
	Base     uint64 // size of a tree the reader verified before: the bundle goes on from there
}

func (q BundleQuery) values() url.Values {
	v := url.Values{}
	if len(q.Nonce) > 0 {
		v.Set("nonce", hex.EncodeToString(q.Nonce))
	}
	if q.Base > 0 {
		v.Set("base", strconv.FormatUint(q.Base, 10))
	}
	if q.From > 0 {
		v.Set("from", strconv.FormatUint(q.From, 10))
	}
	if q.To > 0 {
		v.Set("to", strconv.FormatUint(q.To, 10))
	}
	if q.Type != "" {
		v.Set("type", q.Type)
	}
	return v
}

// BundleType is the media type of a bundle.
const BundleType = "application/vnd.teapot.bundle"

// Bundle streams an agent's bundle. The caller closes it; a stream that breaks off is found by package bundle, one that
// falls silent ends after a minute.
func (c *Client) Bundle(ctx context.Context, agent string, q BundleQuery) (io.ReadCloser, error) {
	path := "/v1/agents/" + url.PathEscape(agent) + "/bundle"
	ctx, cancel := context.WithCancelCause(ctx)
	resp, err := c.send(ctx, http.MethodGet, path, q.values(), nil)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != BundleType {
		defer cancel(nil)
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 512)) // only to say what it was instead
		return nil, c.notTeapot("GET "+path, resp, text)
	}
	return watched(ctx, cancel, resp.Body), nil
}

// stream is a body whose silence ends it.
type stream struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	body   io.ReadCloser
	silent *time.Timer
}

func watched(ctx context.Context, cancel context.CancelCauseFunc, body io.ReadCloser) *stream {
	return &stream{ctx, cancel, body, time.AfterFunc(idleTime, func() {
		cancel(&Error{Op: "reading the log", Cause: fmt.Sprintf("the server fell silent for %v", idleTime), Next: "try again; if it happens again, the server or something in between stalls"})
	})}
}

func (s *stream) Read(p []byte) (int, error) {
	s.silent.Reset(idleTime)
	n, err := s.body.Read(p)
	var why *Error
	if err != nil && errors.As(context.Cause(s.ctx), &why) {
		err = why
	}
	return n, err
}

func (s *stream) Close() error {
	s.silent.Stop()
	s.cancel(nil)
	return s.body.Close()
}
