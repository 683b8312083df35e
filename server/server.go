// Package server runs Teapot's HTTP: it listens, bounds what a client may cost, and stops cleanly.
//
// Routes live in server/eliza (Eliza's), server/v1 (Teapot's own) and web (the pages); this package only wires them. It trusts no
// client: a panic in a handler answers 500 and is logged without the request's content, slow and huge requests end by themselves.
package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/teapot-tee/teapot/guestapi"
	"github.com/teapot-tee/teapot/server/access"
	"github.com/teapot-tee/teapot/server/limit"
	"github.com/teapot-tee/teapot/server/problem"
	"github.com/teapot-tee/teapot/server/proxyproto"
)

// Limits of one connection.
const (
	headerTimeout  = 10 * time.Second
	readTimeout    = 60 * time.Second
	idleTimeout    = 2 * time.Minute
	stopTimeout    = 10 * time.Second
	maxHeaderBytes = 64 << 10
	maxStreams     = 64 // requests at once on one HTTP/2 connection; each may hold what a whole connection would
)

// Options of a server.
type Options struct {
	Listener net.Listener  // from Listen
	Local    *Local        // from ListenUnix; nil: none
	TLS      *tls.Config   // nil: plain HTTP
	Proxies  limit.Proxies // whose X-Forwarded-For is believed; none: nobody's
	Header   bool          // connections of Proxies begin with a PROXY header
	Handler  http.Handler
	Logger   *slog.Logger
	Ready    func(addr net.Addr) // called when it listens
}

// Serve serves until the context ends, then lets running requests finish for ten seconds. A clean stop returns nil.
func Serve(ctx context.Context, o Options) error {
	bounds := newBounded(o.Listener, connections())
	bounds.proxies = o.Proxies
	var listener net.Listener = bounds
	if o.Header {
		listener = proxyproto.Listener{Listener: bounds, Trusts: o.Proxies.Trusts, Admit: bounds.behind}
	}
	if o.TLS != nil {
		listener = tls.NewListener(listener, o.TLS)
	}
	public := newServer(o, nil)
	servers := []*http.Server{public}
	failed := make(chan error, 2)
	go func() { failed <- public.Serve(listener) }()
	if o.Local != nil {
		local := newServer(o, o.Local.peer)
		servers = append(servers, local)
		go func() { failed <- local.Serve(Bound(o.Local)) }()
	}
	if o.Ready != nil {
		o.Ready(listener.Addr())
	}
	select {
	case err := <-failed:
		return errors.Join(err, stop(servers))
	case <-ctx.Done():
		return stop(servers)
	}
}

func newServer(o Options, mark func(context.Context) context.Context) *http.Server {
	clients := o.Proxies.Handler
	if o.Header {
		clients = o.Proxies.Opaque
	}
	s := &http.Server{
		Handler: Protect(unnamedProxy(clients(o.Handler), o.Proxies, o.Logger), o.Logger), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		HTTP2:          &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug),
	}
	if mark != nil {
		s.ConnContext = func(ctx context.Context, _ net.Conn) context.Context { return mark(ctx) }
	}
	return s
}

func stop(servers []*http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	var errs []error
	for _, s := range servers {
		if err := s.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
			errs = append(errs, s.Close()) // live streams never end by themselves
		} else {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Listen takes the address. Callers do it before anything is written: a port in use then leaves nothing behind.
func Listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listening on %s: %w: another program (or another teapot) is there; stop it, or choose another address with --addr", addr, syscall.EADDRINUSE)
	}
	if errors.Is(err, syscall.EACCES) {
		return nil, fmt.Errorf("listening on %s is not permitted: ports below 1024 need privileges; choose another with --addr", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", addr, err)
	}
	return l, nil
}

// Local is a unix socket whose peers need no token, or less of one.
type Local struct {
	net.Listener
	peer func(context.Context) context.Context
}

// ListenUnix takes a unix socket, as Listen an address: before anything is written. With mode 0 it is for this user, the
// operator; otherwise whoever may connect is the agent beside (access.MayAct). A socket that somebody serves is left alone.
func ListenUnix(path string, mode os.FileMode) (*Local, error) {
	l, err := guestapi.ListenUnix(path, cmp.Or(mode, 0o600))
	if err != nil {
		return nil, err
	}
	peer := access.WithUnixPeer
	if mode&0o077 != 0 {
		peer = access.WithAgentPeer
	}
	return &Local{l, peer}, nil
}

// Protect adds the headers every answer has, answers cross-origin preflights, and turns a panic into a 500 without its stack.
func Protect(next http.Handler, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it the same way
					panic(p)
				}
				logger.ErrorContext(r.Context(), "handler panicked", "method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(p))
				problem.Write(w, http.StatusInternalServerError, "internal error", "a bug in teapot", "report it with the time of this answer; the log is unharmed")
			}
		}()
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		crossOrigin(h)
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		out := newPatient(w, r, writeTimeout)
		next.ServeHTTP(out, r)
		out.extend() // what is still buffered leaves after the handler
	})
}

// crossOrigin lets any page read answers, as Eliza's server does. No cookie is ever used, so a page can do nothing here that any
// stranger could not.
func crossOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE")
	h.Set("Access-Control-Allow-Headers", "Content-Type, Authorization, Idempotency-Key, Ehbp-Encapsulated-Key, Teapot-Room-Secret, Teapot-Receipt-Secret")
	h.Set("Access-Control-Expose-Headers", "Teapot-Receipt, Ehbp-Response-Nonce")
}
