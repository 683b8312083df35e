package client

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Error is a request that gave no usable answer: what was asked, why nothing came of it, and what to do next.
type Error struct {
	Op     string // "GET /v1/"
	Status int    // HTTP status; 0 when there was none
	Cause  string
	Next   string
	Wait   time.Duration // what Retry-After asks for; 0: nothing
	err    error
}

func (e *Error) Error() string {
	if e.Status != 0 {
		return fmt.Sprintf("%s: status %d: %s", e.Op, e.Status, e.Cause)
	}
	return e.Op + ": " + e.Cause
}

func (e *Error) Unwrap() error { return e.err }

// Hint is what to do next, for the line after the error.
func (e *Error) Hint() string { return e.Next }

// problem is RFC 9457 with Teapot's two members.
type problem struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Cause  string `json:"cause"`
	Next   string `json:"next"`
}

func (c *Client) refused(op string, resp *http.Response, text []byte) error {
	e := c.refusal(op, resp, text)
	if seconds, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 16); err == nil {
		e.Wait = time.Duration(seconds) * time.Second
	}
	return e
}

func (c *Client) refusal(op string, resp *http.Response, text []byte) *Error {
	var p problem
	if isJSON(resp) && json.Unmarshal(text, &p) == nil && p.Title+p.Detail+p.Cause != "" {
		return &Error{Op: op, Status: resp.StatusCode, Cause: clip(first(p.Cause, p.Detail, p.Title)), Next: clip(p.Next)}
	}
	if resp.StatusCode == http.StatusMisdirectedRequest {
		return &Error{Op: op, Status: resp.StatusCode, Cause: "this server does not answer to that name", Next: "use the name whose first label is the app id you expect"}
	}
	if isHTML(resp, text) {
		return c.notTeapot(op, resp, text)
	}
	return &Error{Op: op, Status: resp.StatusCode, Cause: "refused without a reason", Next: "check that " + c.base.String() + " is a Teapot: it must answer GET /v1/"}
}

func (c *Client) notTeapot(op string, resp *http.Response, text []byte) *Error {
	cause := fmt.Sprintf("answered with %q instead of JSON", resp.Header.Get("Content-Type"))
	if isHTML(resp, text) {
		cause = "answered with a web page (HTML) instead of JSON"
	}
	return &Error{
		Op: op, Cause: cause,
		Next: "check the address: " + c.base.String() + " does not speak Teapot's /v1 (a login page or proxy in between does this too)",
	}
}

func isHTML(resp *http.Response, text []byte) bool {
	return http.DetectContentType(text) == "text/html; charset=utf-8" || resp.Header.Get("Content-Type") == "text/html"
}

// Unreachable explains a request that got no answer at all.
func Unreachable(base *url.URL, err error) error {
	e := &Error{Op: "asking " + base.String(), Cause: err.Error(), Next: "check the address and the network", err: err}
	var dns *net.DNSError
	var record tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	switch {
	case base.Scheme == "https" && (errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch)):
		e.Cause, e.Next = "it speaks plain http, not https", "on this very machine http:// is enough; anywhere else something that should end TLS does not: ask the operator"
	case errors.As(err, &certificate):
		e.Cause, e.Next = "its certificate is not one of the web's authorities, so the token was not sent: "+certificate.Err.Error(), "send the token through a tunnel that ends on this machine (ssh -L 3000:127.0.0.1:3000), or ask without one"
	case errors.Is(err, context.Canceled):
		e.Cause, e.Next = "interrupted", ""
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, wsaConnRefused):
		e.Cause, e.Next = "nobody listens there (connection refused)", "start the agent (teapot run), or check the port"
	case errors.As(err, &dns):
		e.Cause, e.Next = fmt.Sprintf("the name %q does not resolve", dns.Name), "check the spelling of the address"
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		e.Cause, e.Next = "no answer in time", "check that the host is up and no firewall is in between"
	}
	return e
}

// wsaConnRefused is how Windows spells ECONNREFUSED; package syscall does not translate it. No other system has this number.
const wsaConnRefused = syscall.Errno(10061)

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// clip bounds what a stranger's server may make this machine print.
func clip(text string) string {
	const most = 512
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
