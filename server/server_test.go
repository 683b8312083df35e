package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/server/access"
)

var quiet = slog.New(slog.DiscardHandler)

func TestPanicAnswers500WithoutItsText(t *testing.T) {
	h := Protect(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret detail") }), quiet)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestPortInUseNamesTheNextStep(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Listen(l.Addr().String())
	if err == nil || !strings.Contains(err.Error(), "--addr") {
		t.Errorf("%v", err)
	}
}

func TestUnixPeersNeedNoTokenAndTheSocketIsPrivate(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "t.sock")
	token := access.NewToken("x")
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan net.Addr, 1), make(chan error, 1)
	listener, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	unix, err := ListenUnix(socket, 0)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		done <- Serve(ctx, Options{
			Listener: listener, Local: unix, Logger: quiet, Ready: func(a net.Addr) { ready <- a },
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !token.Authorized(r) {
					w.WriteHeader(http.StatusUnauthorized)
				}
			}),
		})
	}()
	addr := <-ready
	if got := status(t, http.DefaultClient, "http://"+addr.String()); got != http.StatusUnauthorized {
		t.Errorf("TCP without a token: %d", got)
	}
	local := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	if got := status(t, local, "http://unix/"); got != http.StatusOK {
		t.Errorf("unix socket: %d", got)
	}
	local.CloseIdleConnections()
	if info, err := os.Stat(socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket mode %v, %v", info.Mode(), err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("clean stop: %v", err)
	}
}

func status(t *testing.T, c *http.Client, url string) int {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func TestADirectoryInPlaceOfTheSocketIsNamed(t *testing.T) {
	_, err := ListenUnix(t.TempDir(), 0)
	if err == nil || !strings.Contains(err.Error(), "is a directory: docker makes one") {
		t.Errorf("%v", err)
	}
}

func TestASocketThatSomebodyServesIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.sock")
	first, err := ListenUnix(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := ListenUnix(path, 0); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second teapot took the socket of the first: %v", err)
	}
}
