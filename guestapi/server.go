package guestapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/teapot-tee/teapot/attest"
)

// maxBody is the first size that is refused; upstream accepts 10 MiB, and no published client sends a tenth of it.
const maxBody = 10 << 20

// largeBody is the size from which bodies are read a few at a time, so that many callers cannot fill the memory together.
const largeBody = 256 << 10

// Options configure a Server.
type Options struct {
	Attester attest.Attester // makes quotes and says who the guest is
	Keys     Keys            // makes callers' keys; nil refuses all key methods
	Policy   Policy          // what callers may do; the zero value: nothing but Version
	Reserved []string        // exact key paths that no caller gets: those of wallets in use
	// Version is the dstack version that is claimed, "0.5.11" when empty; Rev says what really answers.
	Version, Rev string
	// Simulated marks every answer that has room for it.
	Simulated bool
	// AllowTeapotStatements makes this server the platform of a Teapot that runs beside it: quotes over report data that begin
	// with TEAPOT and keys under teapot/ are given to every caller. Only a simulator may have it, which protects nothing anyway.
	AllowTeapotStatements bool
}

// Server answers the guest API. Make one with New; WithPolicy gives the same server to another socket under another policy.
type Server struct {
	Options
	large chan struct{}             // a slot per large body being read
	known *atomic.Pointer[identity] // nil until the platform was asked; shared by all policies
}

// New makes a Server.
func New(o Options) (*Server, error) {
	if o.Attester == nil {
		return nil, errors.New("guest API without an Attester")
	}
	if o.AllowTeapotStatements && (!o.Simulated || o.Attester.Platform() != "simulator") {
		return nil, errors.New("guest API: only a simulator may quote Teapot's statements for callers")
	}
	if o.Version == "" {
		o.Version = "0.5.11"
	}
	if o.Rev == "" {
		o.Rev = "teapot"
	}
	return &Server{Options: o, large: make(chan struct{}, 8), known: new(atomic.Pointer[identity])}, nil
}

// WithPolicy is the same server under another policy.
func (s *Server) WithPolicy(p Policy) *Server {
	other := *s
	other.Policy = p
	return &other
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out := response{w: w, json: wantsJSON(r), server: s}
	if r.URL.Path == "/" && r.Method == http.MethodGet {
		out.banner()
		return
	}
	if crossOrigin(r) {
		out.fail(http.StatusBadRequest, "requests from web pages of other origins are refused")
		return
	}
	m, name, missing := route(r.URL.Path)
	if m == nil || r.Method != http.MethodPost && r.Method != http.MethodGet {
		out.fail(missing, "Service not found: "+name)
		return
	}
	if err := s.Policy.method(m.name); err != nil {
		out.fail(http.StatusBadRequest, err.Error())
		return
	}
	request, status, err := s.read(w, r, out.json)
	if err != nil {
		w.Header().Set("Connection", "close")
		out.fail(status, err.Error())
		return
	}
	out.json = request.json || request.query != nil
	reply, err := m.call(r.Context(), s, request)
	if err != nil {
		if _, ok := errors.AsType[*undecodable](err); ok {
			w.Header().Set("Connection", "close")
		}
		out.fail(http.StatusBadRequest, err.Error())
		return
	}
	out.send(http.StatusOK, reply)
}

// crossOrigin keeps web pages in a developer's browser from using a guest API on loopback; programs send no Origin.
func crossOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	_, host, ok := strings.Cut(origin, "://")
	return origin != "" && (!ok || host != r.Host) || rebound(r)
}

// rebound: on loopback a server is asked by an address or by a name without dots. A domain name there is one that a web page made point
// to this machine, whose requests then carry no other origin, and GETs none at all.
func rebound(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return false
	}
	name := (&url.URL{Host: r.Host}).Hostname()
	return strings.Contains(name, ".") && net.ParseIP(name) == nil
}

// wantsJSON: the content type says so, or the query does, or the method is GET. Otherwise both bodies are protobuf.
func wantsJSON(r *http.Request) bool {
	if r.Method == http.MethodGet {
		return true
	}
	if value, ok := r.URL.Query()["json"]; ok && (value[0] == "" || value[0] == "1" || value[0] == "true") {
		return true
	}
	mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), "application/json")
}

func (s *Server) read(w http.ResponseWriter, r *http.Request, json bool) (request, int, error) {
	if r.Method == http.MethodGet {
		return request{query: r.URL.Query()}, 0, nil
	}
	if r.ContentLength >= maxBody {
		return request{}, http.StatusRequestEntityTooLarge, fmt.Errorf("request body of %d bytes is too large, the limit is %d", r.ContentLength, maxBody)
	}
	if r.ContentLength < 0 || r.ContentLength > largeBody {
		select {
		case s.large <- struct{}{}:
			defer func() { <-s.large }()
		case <-r.Context().Done():
			return request{}, http.StatusBadRequest, r.Context().Err()
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody-1))
	if err != nil {
		status := http.StatusBadRequest
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			status = http.StatusRequestEntityTooLarge
		}
		return request{}, status, fmt.Errorf("reading the request body: %w", err)
	}
	// A brace begins no protobuf message of this protocol: it is JSON from somebody who forgot the content type.
	return request{body: body, json: json || bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{"))}, 0, nil
}

// response writes one answer. Content-Length is always set: clients on unix sockets cannot read chunks.
type response struct {
	w      http.ResponseWriter
	json   bool
	server *Server
}

func (r response) send(status int, reply any) {
	body, contentType := marshalProto(reply), "application/octet-stream"
	if r.json {
		var err error
		if body, err = asciiJSON(reply); err != nil {
			r.fail(http.StatusBadRequest, err.Error())
			return
		}
		contentType = "application/json"
	}
	r.write(status, contentType, body)
}

// fail answers {"error": …}, or the same text as a protobuf message with field 1.
func (r response) fail(status int, text string) {
	r.send(status, &struct {
		Error string `json:"error" pb:"1"`
	}{text})
}

func (r response) write(status int, contentType string, body []byte) {
	h := r.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-App-Version", "v"+r.server.Version+" (git:"+r.server.Rev+")")
	h.Set("Server", r.server.ident())
	if r.server.Simulated {
		h.Set("X-Teapot-Simulated", "true")
	}
	r.w.WriteHeader(status)
	_, _ = r.w.Write(body) // the caller is gone: nobody is left to tell
}

func (s *Server) ident() string {
	if s.Simulated {
		return "teapot simulator (NOT A TEE)"
	}
	return "teapot guest agent"
}

func (r response) banner() {
	text := r.server.ident() + "\nplatform: " + r.server.Attester.Platform() + "\nspeaks: tappd 0.3, dstack guest agent v0 and v1\n"
	r.write(http.StatusOK, "text/plain; charset=us-ascii", []byte(text))
}

// quote is the only way to a quote: it refuses what is reserved for Teapot itself.
func (s *Server) quote(ctx context.Context, reportData [64]byte) (attest.Quote, error) {
	if err := allowed(reportData); err != nil && !s.AllowTeapotStatements {
		return attest.Quote{}, err
	}
	q, err := s.Attester.Quote(ctx, reportData)
	if err != nil {
		return attest.Quote{}, fmt.Errorf("getting a quote: %w", err)
	}
	return withLog(q)
}
