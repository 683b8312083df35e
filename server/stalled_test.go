package server

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A reader who stops reading does not hold a handler for ever; one who waits between requests is served all the same.
func TestReaderWhoDoesNotRead(t *testing.T) {
	ended := make(chan error, 1)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := newPatient(w, r, 300*time.Millisecond)
		defer p.extend()
		if r.URL.Path == "/small" {
			return
		}
		piece := make([]byte, 1<<20)
		for {
			if _, err := p.Write(piece); err != nil {
				ended <- err
				return
			}
		}
	}))
	defer s.Close()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("GET /large HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the handler waits for ever")
	}
	for range 2 {
		resp, err := s.Client().Get(s.URL + "/small")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		time.Sleep(500 * time.Millisecond)
	}
}

// A handler that thinks for longer than a piece may take to leave answers all the same, over both versions of HTTP.
func TestSlowHandlerIsNoStalledReader(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p := newPatient(w, r, 100*time.Millisecond)
			defer p.extend()
			for range 2 {
				_, _ = p.Write([]byte("a piece\n"))
				_ = p.FlushError()
				time.Sleep(300 * time.Millisecond)
			}
			_, _ = p.Write([]byte("the end"))
		}))
		s.EnableHTTP2 = h2
		s.StartTLS()
		resp, err := s.Client().Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || string(body) != "a piece\na piece\nthe end" || (resp.ProtoMajor == 2) != h2 {
			t.Errorf("HTTP/%d: %q, %v", resp.ProtoMajor, body, err)
		}
		resp.Body.Close()
		s.Close()
	}
}
