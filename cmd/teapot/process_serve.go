package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/teapot-tee/teapot/ratls"
	"github.com/teapot-tee/teapot/server"
	"github.com/teapot-tee/teapot/server/access"
	"github.com/teapot-tee/teapot/web"
)

// serve answers until the context ends or the log cannot go on.
func (r *running) serve(ctx context.Context, routes func(*http.ServeMux, *ratls.Budget), ready func(net.Addr)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case err := <-r.failed:
			cancel(err)
		case <-ctx.Done():
		}
	}()
	r.stopping = ctx.Done()
	mux := http.NewServeMux()
	budget := r.budget
	server.Attestation{Process: r.process, Version: version, Leaf: r.shownLeaf(), Budget: budget}.Register(mux)
	server.Collateral{Source: r.readersCollateral(), Logger: r.logger}.Register(mux)
	sealer := ratls.NewSealer(r.seal)
	mux.Handle("GET "+ratls.KeysPath, sealer.KeysHandler())
	routes(mux, budget)
	counts := server.NewMetrics(r.process, access.NewToken(r.token), time.Now())
	counts.Logger = r.logger
	counts.Register(mux)
	pages, err := web.Handler(web.Options{Next: server.SealedShare(sealer.Middleware(server.QuoteShare(mux, time.Now)), time.Now), Reports: filepath.Join(r.flags.data, "reports")})
	if err != nil {
		return err
	}
	r.keepPublic(ctx)
	r.logger.InfoContext(ctx, "started", "platform", r.finding.Platform, "simulated", r.finding.Simulated, "agents", len(r.process.Agents()), "version", version)
	handler, err := r.named(ctx, counts.Count(pages))
	if err != nil {
		return err
	}
	err = server.Serve(ctx, server.Options{Listener: r.listener, Local: r.local, TLS: r.tls, Proxies: r.proxies, Header: r.flags.proxyHeader, Handler: handler, Logger: r.logger, Ready: ready})
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = errors.Join(cause, err)
	}
	r.logger.Info("stopping")
	return errors.Join(err, r.process.Close(), r.attester.Close())
}

func newLogger(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelWarn
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}
