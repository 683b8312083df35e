package client_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/client"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/ratls"
	v1 "github.com/teapot-tee/teapot/server/v1"
	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/verify"
)

const eliza = "b850bc30-45f8-0041-a00a-83df46d8555d"

// teapot is a real start with the routes a reader needs, over TLS or not.
type teapot struct {
	*boot.Process
	cert tls.Certificate
	seal *ratls.Sealer
	once sync.Once
}

func (p *teapot) stop() { p.once.Do(func() { _ = p.Close() }) }

func begin(t *testing.T, dir string) *teapot {
	t.Helper()
	s, err := sim.New(sim.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	key, spki, err := ratls.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ratls.NewSealKeys()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ratls.Certificate(t.Context(), key, []string{"127.0.0.1"}, func(ctx context.Context, rd [64]byte) ([]byte, error) {
		q, err := s.Quote(ctx, rd)
		return q.Raw, err
	}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	p, err := boot.Start(t.Context(), boot.Config{
		Dir: dir, Attester: s, Collateral: s, Software: evidence.Software{Name: "teapot", Version: "test"}, Policies: boot.WeakestSafe(),
		Agents: []boot.AgentSpec{{ID: eliza, Name: "Eliza", Character: []byte(`{"name":"Eliza"}`)}}, TLSKey: spki, HPKEKeys: keys.Public(),
		Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	out := &teapot{Process: p, cert: cert, seal: ratls.NewSealer(keys)}
	t.Cleanup(out.stop)
	return out
}

func (p *teapot) talk(t *testing.T, n int) {
	t.Helper()
	a, _ := p.Agent(eliza)
	for range n {
		if _, err := a.Log.Append(t.Context(), actionlog.Entry{Type: "message", Source: tlog.SourceRuntime, Room: "r", MediaType: "text/plain", Content: []byte("hello")}); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *teapot) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/{$}", func(w http.ResponseWriter, _ *http.Request) {
		a, _ := p.Agent(eliza)
		writeJSON(w, map[string]any{"version": "test", "platform": p.Platform(), "simulated": true, "agents": []map[string]any{{"id": a.ID, "name": a.Name, "origin": a.Log.Origin(), "size": a.Log.Size()}}})
	})
	mux.HandleFunc("GET /v1/evidence", func(w http.ResponseWriter, _ *http.Request) {
		document, _ := p.Evidence().Marshal()
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document)
	})
	mux.Handle("POST /v1/session", &ratls.SessionHandler{Prover: p, Leaf: func(state *tls.ConnectionState) []byte {
		if state == nil {
			return nil
		}
		return p.cert.Certificate[0]
	}})
	mux.Handle("GET "+ratls.KeysPath, p.seal.KeysHandler())
	v1.Logs{Agent: func(id string) (*actionlog.Log, bool) {
		a, ok := p.Agent(id)
		if !ok {
			return nil, false
		}
		return a.Log, true
	}}.Register(mux)
	return p.seal.Middleware(mux)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// serve listens on loopback; cfg nil is plain http. It returns host:port.
func serve(t *testing.T, cfg *tls.Config, h http.Handler) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	if cfg != nil {
		ln = tls.NewListener(ln, cfg)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	return addr
}

func (p *teapot) https(t *testing.T) string {
	return "https://" + serve(t, ratls.ServerConfig(p.cert), p.handler())
}

func (p *teapot) http(t *testing.T) string { return "http://" + serve(t, nil, p.handler()) }

// relay ends TLS with the same certificate and key and passes everything on over a connection of its own.
func relay(t *testing.T, cert tls.Certificate, upstream string) string {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the attacker does not care
	t.Cleanup(transport.CloseIdleConnections)
	return "https://" + serve(t, ratls.ServerConfig(cert), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, err := http.NewRequestWithContext(r.Context(), r.Method, upstream+r.URL.RequestURI(), r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		out.Header, out.ContentLength = r.Header, r.ContentLength
		resp, err := transport.RoundTrip(out)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		for k, v := range resp.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
}

func look(t *testing.T, address string, memory *client.Memory, o client.LookOptions) (verify.Result, error) {
	t.Helper()
	transport := client.NewTransport()
	t.Cleanup(transport.CloseIdleConnections)
	c, err := client.New(address, client.Options{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	o.Policy.Simulated = "allow"
	in, err := c.Look(t.Context(), memory, o)
	if err != nil {
		return verify.Result{}, err
	}
	r, err := verify.Appraise(in, o.Policy, time.Now())
	if err != nil {
		return r, err
	}
	_, err = memory.RememberAll(r)
	return r, err
}
