package guestapi_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/guestapi"
)

// serveUnix serves a fresh simulator policy on a socket until the test ends.
func serveUnix(t *testing.T, l guestapi.Limits) string {
	t.Helper()
	s, _ := newServer(t, guestapi.AllowEverything())
	path := filepath.Join(t.TempDir(), "s.sock")
	ln, err := guestapi.ListenUnix(path, 0o777)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- guestapi.Serve(ctx, ln, s, l) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-done)
	})
	return path
}

func unixClient(path string) *http.Client {
	return &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			for { // a thousand connections at once overflow the socket's backlog, which is EAGAIN on unix sockets
				conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
				if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "temporarily unavailable") {
					return conn, err
				}
				time.Sleep(5 * time.Millisecond)
			}
		},
	}}
}

// TestThousandClients: all at once on one socket, each gets the quote over its own report data.
func TestThousandClients(t *testing.T) {
	client := unixClient(serveUnix(t, guestapi.Limits{}))
	var wg sync.WaitGroup
	errs := make(chan error, 1000)
	for i := range 1000 {
		wg.Go(func() {
			want := fmt.Sprintf("%0128x", i+1)
			body, err := call(t.Context(), client, "/GetQuote", `{"report_data":"`+want+`"}`)
			if err == nil && strings.Count(body, want) != 2 { // in the quote and beside it
				err = fmt.Errorf("client %d got another's quote", i)
			}
			if err != nil {
				errs <- err
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}

func call(ctx context.Context, client *http.Client, path, body string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost"+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	return string(raw), err
}

func TestHostileBodies(t *testing.T) {
	path := serveUnix(t, guestapi.Limits{Header: 300 * time.Millisecond, Body: 300 * time.Millisecond})
	client := unixClient(path)
	huge := bytes.Repeat([]byte("0"), 10<<20)
	for name, body := range map[string]io.Reader{"announced": bytes.NewReader(huge), "chunked": io.MultiReader(bytes.NewReader(huge))} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/EmitEvent", body)
		must(t, err)
		answer, err := client.Do(r)
		if err != nil { // the server may close while we still write
			continue
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusRequestEntityTooLarge && answer.StatusCode != http.StatusBadRequest {
			t.Errorf("10 MiB %s: %d", name, answer.StatusCode)
		}
	}
	for name, bytes := range map[string]string{
		"slow body":    "POST /GetKey HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
		"slow headers": "POST /GetKey HTTP/1.1\r\nHost: x\r\n",
		"garbage":      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not http\r\n\r\n",
	} {
		conn, err := net.Dial("unix", path)
		must(t, err)
		_, err = conn.Write([]byte(bytes))
		must(t, err)
		must(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
		answer, err := io.ReadAll(conn)
		if err != nil || strings.HasPrefix(string(answer), "HTTP/1.1 200") {
			t.Errorf("%s: %q, %v", name, answer, err)
		}
		conn.Close()
	}
	if body, err := call(t.Context(), client, "/Version", `{}`); err != nil || !strings.Contains(body, "0.5.11") {
		t.Errorf("the server did not live: %s %v", body, err)
	}
}

func TestTooLargeIs413(t *testing.T) {
	s, _ := newServer(t, guestapi.AllowEverything())
	if code, got := post(t, s, "/EmitEvent", strings.Repeat(" ", 10<<20)); code != 413 || !strings.Contains(fmt.Sprint(got["error"]), "too large") {
		t.Errorf("%d %v", code, got)
	}
}

func TestListenUnix(t *testing.T) {
	dir := t.TempDir()
	if _, err := guestapi.ListenUnix(dir, 0o777); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("directory: %v", err)
	}
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	if _, err := guestapi.ListenUnix(file, 0o777); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("file: %v", err)
	}
	path := filepath.Join(dir, "s.sock")
	ln, err := guestapi.ListenUnix(path, 0o777)
	must(t, err)
	if _, err := guestapi.ListenUnix(path, 0o777); err == nil || !strings.Contains(err.Error(), "already being served") {
		t.Errorf("served: %v", err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false) // as after a crash
	must(t, ln.Close())
	ln, err = guestapi.ListenUnix(path, 0o777)
	must(t, err)
	must(t, ln.Close())
}
