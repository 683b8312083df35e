package guestapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Limits bound what one connection may cost. Zero fields take the defaults in brackets.
type Limits struct {
	Header time.Duration // until the headers are there [5 s]
	Body   time.Duration // until headers and body are there [10 s]
	Answer time.Duration // until the answer is written [60 s]
	Idle   time.Duration // between two requests [15 s]
}

// Serve answers on a listener until ctx ends, then waits shortly for answers in flight. It closes the listener.
func Serve(ctx context.Context, ln net.Listener, h http.Handler, l Limits) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: orDefault(l.Header, 5*time.Second),
		ReadTimeout:       orDefault(l.Body, 10*time.Second),
		WriteTimeout:      orDefault(l.Answer, 60*time.Second),
		IdleTimeout:       orDefault(l.Idle, 15*time.Second),
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug), // callers' broken connections
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if srv.Shutdown(shutdown) != nil {
			_ = srv.Close()
		}
	})
	err := srv.Serve(ln)
	if !stop() {
		<-done
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving the guest API on %s: %w", ln.Addr(), err)
}

func orDefault(d, fallback time.Duration) time.Duration {
	if d == 0 {
		return fallback
	}
	return d
}

// ListenUnix makes a unix socket with the given mode; real guest agents use 0777. A socket that nobody serves any more is
// replaced; one that is served, or anything else in its place, is an error.
func ListenUnix(path string, mode fs.FileMode) (net.Listener, error) {
	if err := clearSocket(path); err != nil {
		return nil, err
	}
	ln, err := net.Listen("unix", path) //nolint:noctx // listening does not block
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listening on socket %s: there is no directory %s; make it first", path, filepath.Dir(path))
	}
	if err != nil {
		return nil, fmt.Errorf("listening on socket %s: %w", path, err)
	}
	if err := os.Chmod(path, mode); err != nil {
		_ = ln.Close()
		return nil, fmt.Errorf("opening the socket to other users: %w", err)
	}
	return ln, nil
}

func clearSocket(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking at socket %s: %w", path, err)
	}
	if info.IsDir() {
		return fmt.Errorf("%s is a directory: docker makes one where a mounted socket does not exist; remove it", path)
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("%s exists and is not a socket; choose another path or remove it", path)
	}
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil { //nolint:noctx // bounded by its time-out
		_ = conn.Close()
		return fmt.Errorf("%s is already being served by another process", path)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("removing the dead socket: %w", err)
	}
	return nil
}
