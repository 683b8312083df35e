package limit

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOnlyTrustedProxiesNameTheirClients(t *testing.T) {
	for _, c := range []struct {
		name, trusted, peer, header, client string
		local                               bool
	}{
		{"nobody is trusted by default", "", "127.0.0.1:9", "6.6.6.6", "127.0.0.1", true},
		{"a stranger's header", "10.0.0.0/8", "6.6.6.6:9", "1.2.3.4", "6.6.6.6", false},
		{"a proxy's header", "10.0.0.0/8", "10.1.1.1:9", "1.2.3.4", "1.2.3.4", false},
		{"a proxy on this machine", "127.0.0.1", "127.0.0.1:9", "1.2.3.4", "1.2.3.4", false},
		{"what the client wrote itself", "127.0.0.1", "127.0.0.1:9", "9.9.9.9, 1.2.3.4", "1.2.3.4", false},
		{"two proxies", "127.0.0.1,10.0.0.0/8", "127.0.0.1:9", "9.9.9.9, 1.2.3.4, 10.2.2.2", "1.2.3.4", false},
		{"loopback claimed through a proxy", "10.0.0.0/8", "10.1.1.1:9", "127.0.0.1", "127.0.0.1", false},
		{"only proxies", "127.0.0.1", "127.0.0.1:9", "127.0.0.1", "127.0.0.1", false},
		{"garbage", "10.0.0.0/8", "10.1.1.1:9", "1.2.3.4, unknown", "10.1.1.1", false},
		{"garbage behind a proxy", "10.0.0.0/8", "10.1.1.1:9", "'; DROP, 10.3.3.3", "10.3.3.3", false},
		{"no header", "127.0.0.1", "127.0.0.1:9", "", "127.0.0.1", true},
		{"with ports", "10.0.0.0/8", "10.1.1.1:9", "1.2.3.4:5678", "1.2.3.4", false},
		{"IPv6 counts by its /64", "fd00::/8", "[fd00::1]:9", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", false},
		{"IPv6 in brackets", "fd00::/8", "[fd00::1]:9", "[2001:db8::1]:443", "2001:db8::/64", false},
		{"IPv4 in IPv6", "10.0.0.0/8", "[::ffff:10.1.1.1]:9", "::ffff:1.2.3.4", "1.2.3.4", false},
		{"a unix socket", "10.0.0.0/8", "@", "1.2.3.4", "@", true},
	} {
		proxies, err := ParseProxies([]string{c.trusted})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if r.RemoteAddr = c.peer; c.header != "" {
			r.Header.Set("X-Forwarded-For", c.header)
		}
		proxies.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if got := Client(r); got != c.client || Local(r) != c.local {
				t.Errorf("%s: client %s, local %v; want %s, %v", c.name, got, Local(r), c.client, c.local)
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}

// HAProxy adds a line of its own after those of the client. An empty first one must not make the client a program of this machine.
func TestAnEmptyLineHidesNoClient(t *testing.T) {
	proxies, err := ParseProxies([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, lines := range [][]string{{"", "1.2.3.4"}, {"", "", "1.2.3.4"}, {"9.9.9.9", "1.2.3.4"}} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr, r.Header = "127.0.0.1:9", http.Header{"X-Forwarded-For": lines}
		proxies.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if Local(r) || Client(r) != "1.2.3.4" {
				t.Errorf("%q: client %s, local %v", lines, Client(r), Local(r))
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}

// Who passes TLS through cannot write into requests: what stands there is the client's, also where the proxy named nobody.
func TestBehindAProxyThatPassesBytesNobodyNamesThemselves(t *testing.T) {
	proxies, err := ParseProxies([]string{"127.0.0.1,10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ peer, client string }{{"127.0.0.1:9", "127.0.0.1"}, {"10.1.1.1:9", "10.1.1.1"}, {"1.2.3.4:9", "1.2.3.4"}} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		r.Header.Set("X-Forwarded-For", "6.6.6.6")
		proxies.Opaque(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if Local(r) || Client(r) != c.client {
				t.Errorf("%s: client %s, local %v", c.peer, Client(r), Local(r))
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}

func TestProxiesThatCannotBe(t *testing.T) {
	for _, bad := range []string{"proxy.example", "10.0.0.0/99", "0.0.0.0/0", "::/0", "10.0.0.1/"} {
		if _, err := ParseProxies([]string{bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// A page that the operator happens to visit must not be taken for a program of the operator's.
func TestAPageOfAnotherOriginIsNotThisMachine(t *testing.T) {
	for _, c := range []struct {
		host, origin string
		local        bool
	}{
		{"127.0.0.1:3000", "", true},
		{"127.0.0.1:3000", "http://127.0.0.1:3000", true},
		{"localhost:3000", "http://localhost:3000", true},
		{"[::1]:3000", "http://[::1]:3000", true},
		{"127.0.0.1:3000", "https://evil.example", false},
		{"127.0.0.1:3000", "http://127.0.0.1:8000", false},
		{"127.0.0.1:3000", "null", false},
		{"evil.example:3000", "http://evil.example:3000", false}, // rebinding
		{"127.0.0.1.evil.example:3000", "http://127.0.0.1.evil.example:3000", false},
	} {
		r := &http.Request{RemoteAddr: "127.0.0.1:5555", Host: c.host, Header: http.Header{}}
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if Local(r) != c.local {
			t.Errorf("%s from %q: local %v", c.host, c.origin, !c.local)
		}
	}
}
