package proxyproto

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func binaryHeader(command, family byte, body string) string {
	return string(signature) + string([]byte{command, family, byte(len(body) >> 8), byte(len(body))}) + body
}

const (
	four = "\x01\x02\x03\x04\x0a\x00\x00\x01\x30\x39\x01\xbb"
	six  = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07" + "\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" + "\x30\x39\x01\xbb"
)

func TestHeaders(t *testing.T) {
	for header, want := range map[string]string{
		"PROXY TCP4 1.2.3.4 10.0.0.1 12345 443\r\n":       "1.2.3.4:12345",
		"PROXY TCP6 2001:db8::7 fd00::1 12345 443\r\n":    "[2001:db8::7]:12345",
		"PROXY UNKNOWN\r\n":                               "",
		"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n":           "",
		binaryHeader(0x21, 0x11, four):                    "1.2.3.4:12345",
		binaryHeader(0x21, 0x21, six):                     "[2001:db8::7]:12345",
		binaryHeader(0x21, 0x11, four+"\x04\x00\x01\x00"): "1.2.3.4:12345", // with an addition
		binaryHeader(0x20, 0x00, ""):                      "",
		binaryHeader(0x21, 0x00, ""):                      "",
	} {
		r := bufio.NewReader(strings.NewReader(header + "GET / HTTP/1.1\r\n"))
		got, err := readHeader(r)
		if err != nil {
			t.Errorf("%q: %v", header, err)
			continue
		}
		if text := ""; got != nil && got.String() != want || got == nil && text != want {
			t.Errorf("%q: %v, want %q", header, got, want)
		}
		if rest, _ := io.ReadAll(r); string(rest) != "GET / HTTP/1.1\r\n" {
			t.Errorf("%q: %q follows", header, rest)
		}
	}
}

func TestHeadersThatAreNone(t *testing.T) {
	for _, bad := range []string{
		"", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00", "PROXY TCP4 1.2.3.4 10.0.0.1 12345\r\n",
		"PROXY TCP4 2001:db8::7 fd00::1 12345 443\r\n", "PROXY TCP4 1.2.3.4 10.0.0.1 99999 443\r\n", "PROXY UDP4 1.2.3.4 10.0.0.1 12345 443\r\n",
		"PROXY TCP4 127.0.0.1 10.0.0.1 12345 443\r\n", "PROXY TCP6 ::1 fd00::1 1 2\r\n", "PROXY TCP4 0.0.0.0 10.0.0.1 1 2\r\n", "PROXY " + strings.Repeat("x", 200) + "\r\n",
		binaryHeader(0x11, 0x11, four), binaryHeader(0x22, 0x11, four), binaryHeader(0x21, 0x11, four[:11]), binaryHeader(0x21, 0x12, four),
		binaryHeader(0x21, 0x31, four), binaryHeader(0x21, 0x21, four), binaryHeader(0x21, 0x11, strings.Repeat("x", 4000)), binaryHeader(0x21, 0x11, four)[:20],
		binaryHeader(0x21, 0x11, "\x7f\x00\x00\x01\x0a\x00\x00\x01\x30\x39\x01\xbb"),
	} {
		if got, err := readHeader(bufio.NewReader(strings.NewReader(bad))); err == nil {
			t.Errorf("%q was taken for %v", bad, got)
		}
	}
}

func FuzzHeader(f *testing.F) {
	for _, seed := range []string{"PROXY TCP4 1.2.3.4 10.0.0.1 12345 443\r\n", binaryHeader(0x21, 0x11, four), binaryHeader(0x21, 0x21, six), binaryHeader(0x20, 0, "")} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := readHeader(bufio.NewReader(bytes.NewReader(data)))
		if err != nil || got == nil {
			return
		}
		if a, err := netip.ParseAddrPort(got.String()); err != nil || a.Addr().IsLoopback() || a.Addr().IsUnspecified() {
			t.Errorf("%q names %v", data, got)
		}
	})
}

// serve answers each request with its remote address.
func serve(t *testing.T, trusted bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RemoteAddr) })}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(Listener{Listener: l, Trusts: func(netip.Addr) bool { return trusted }}) // ends with Close
	}()
	t.Cleanup(func() {
		s.Close()
		<-done
	})
	return l.Addr().String()
}

func ask(t *testing.T, addr, header string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "%sGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", header)
	answer, _ := io.ReadAll(c) // a connection that is closed answers nothing
	_, body, _ := strings.Cut(string(answer), "\r\n\r\n")
	return body
}

func TestOnlyNamedProxiesAreReadAndMustSpeak(t *testing.T) {
	const header = "PROXY TCP4 1.2.3.4 10.0.0.1 12345 443\r\n"
	named, stranger := serve(t, true), serve(t, false)
	if got := ask(t, named, header); got != "1.2.3.4:12345" {
		t.Errorf("a proxy's client is %q", got)
	}
	if got := ask(t, named, ""); strings.Contains(got, "127.0.0.1") {
		t.Errorf("a proxy without a header was answered %q", got)
	}
	if got := ask(t, stranger, ""); !strings.HasPrefix(got, "127.0.0.1:") {
		t.Errorf("a stranger is %q", got)
	}
	if got := ask(t, stranger, header); strings.Contains(got, "1.2.3.4") {
		t.Errorf("a stranger's header was read: %q", got)
	}
}

// TestAClientGetsItsPlacesOnly: a place is taken when the header names the client, refused beyond the share, and given back once.
func TestAClientGetsItsPlacesOnly(t *testing.T) {
	var held atomic.Int32
	admit := func(client string) (func(), bool) {
		if client != "1.2.3.4:12345" || held.Load() == 1 {
			return nil, false
		}
		held.Add(1)
		return sync.OnceFunc(func() { held.Add(-1) }), true
	}
	open := func(header string) (*conn, net.Conn) {
		near, far := net.Pipe()
		go func() { _, _ = io.WriteString(far, header+"x") }() // ends when read or closed
		return &conn{Conn: near, from: bufio.NewReader(near), admit: admit}, far
	}
	const header = "PROXY TCP4 1.2.3.4 10.0.0.1 12345 443\r\n"
	first, farFirst := open(header)
	if _, err := first.Read(make([]byte, 1)); err != nil || held.Load() != 1 {
		t.Fatalf("%v, %d held", err, held.Load())
	}
	second, farSecond := open(header)
	if _, err := second.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "too many connections") {
		t.Errorf("beyond the share: %v", err)
	}
	for _, c := range []net.Conn{first, first, second, farFirst, farSecond} {
		_ = c.Close()
	}
	if held.Load() != 0 {
		t.Errorf("%d places are lost", held.Load())
	}
	// Closing ends a wait for a header that never comes, and one that was never begun takes no place.
	silent, far := open("")
	waiting := make(chan error, 1)
	go func() {
		_, err := silent.Read(make([]byte, 1))
		waiting <- err
	}()
	_ = silent.Close()
	if err := <-waiting; err == nil {
		t.Error("a closed connection was read")
	}
	_ = far.Close()
}
