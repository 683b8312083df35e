package guestapi_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/guestapi"
)

func TestErrorsOnTheWire(t *testing.T) {
	s, _ := newServer(t, guestapi.AllowEverything())
	for _, v := range []struct {
		path, body, answer string
		code               int
	}{
		{"/Nothing", `{}`, `{"error":"Service not found: Nothing"}`, 400},
		{"/prpc/Tappd.Nothing", `{}`, `{"error":"Service not found: Nothing"}`, 400},
		{"/prpc/Worker.DeriveKey", `{}`, `{"error":"Service not found: DeriveKey"}`, 400},
		{"/v0/Nothing", `{}`, `{"error":"Service not found: Nothing"}`, 400},
		{"/v1/GetQuote", `{}`, `{"error":"Service not found: GetQuote"}`, 404},
		{"/v1/EmitEvent", `{}`, `{"error":"Service not found: EmitEvent"}`, 404},
		{"/no/such/mount", `{}`, `{"error":"Service not found: no/such/mount"}`, 404},
		{"/EmitEvent", `{"event":"e","payload":"00"}`, `null`, 200},
		{"/Version", ``, `{"version":"0.5.11","rev":"teapot"}`, 200},
		{"/prpc/Tappd.Version", `{}`, `{"version":"0.5.11","rev":"teapot"}`, 200},
		{"/prpc/v1/Health", `{}`, `{"healthy":true,"unhealthy":[],"error":""}`, 200},
		{"/GetKey", `{"algorithm":"secp256k1_prehashed"}`, `{"error":"Unsupported algorithm"}`, 400},
	} {
		r := httptest.NewRequest(http.MethodPost, v.path, strings.NewReader(v.body))
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != v.code || w.Body.String() != v.answer {
			t.Errorf("%s: %d %s, want %d %s", v.path, w.Code, w.Body, v.code, v.answer)
		}
		if w.Header().Get("Content-Length") != strconv.Itoa(len(v.answer)) || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: headers %v", v.path, w.Header())
		}
	}
	for body, want := range map[string]string{`{`: "ends too early", `{"path":"茶`: "ends too early", `[]`: "reading the request", `{"path":1}`: "reading the request", "\x00\xff": "reading the request"} {
		code, got := post(t, s, "/GetKey", body)
		if code != 400 || !strings.Contains(fmt.Sprint(got["error"]), want) {
			t.Errorf("body %q: %d %v", body, code, got)
		}
	}
}

// TestEveryBodyIsASCII: names outside ASCII come back escaped, and Info says simulated.
func TestEveryBodyIsASCII(t *testing.T) {
	s, _ := newServer(t, guestapi.AllowEverything())
	for _, path := range []string{"/Info", "/prpc/Tappd.Info", "/prpc/Worker.Info", "/v1/Info", "/prpc/v1/Info", "/GetQuote"} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		for i, c := range w.Body.Bytes() {
			if c > 0x7f {
				t.Fatalf("%s: byte %#x at %d", path, c, i)
			}
		}
		if w.Code != 200 || w.Header().Get("Content-Length") != strconv.Itoa(w.Body.Len()) {
			t.Errorf("%s: %d, length %s of %d", path, w.Code, w.Header().Get("Content-Length"), w.Body.Len())
		}
		if strings.Contains(path, "Info") && !strings.Contains(w.Body.String(), `"simulated":true`) {
			t.Errorf("%s does not say simulated: %s", path, w.Body)
		}
	}
	_, got := post(t, s, "/Info", "")
	if got["app_name"] != "teapot – démo 茶" {
		t.Errorf("app name came back as %q", got["app_name"])
	}
	if tcb := got["tcb_info"].(string); !strings.Contains(tcb, "98bd7e6bd3952720b65027fd") {
		t.Errorf("the digest of boot-mr-done was not filled in: %s", tcb)
	}
}

func TestWebPagesOfOtherOrigins(t *testing.T) {
	s, _ := newServer(t, guestapi.AllowEverything())
	for origin, want := range map[string]int{"": 200, "http://example.com": 200, "https://evil.example": 400, "null": 400} {
		r := httptest.NewRequest(http.MethodGet, "http://example.com/Version", http.NoBody)
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("origin %q: %d, want %d", origin, w.Code, want)
		}
	}
}

func TestADomainThatPointsToThisMachineIsRefused(t *testing.T) {
	s, _ := newServer(t, guestapi.AllowEverything())
	for host, want := range map[string]int{
		"127.0.0.1:8090": 200, "[::1]:8090": 200, "localhost:8090": 200, "dstack": 200, "": 200, "evil.example:8090": 400, "127.0.0.1.evil.example": 400, "localhost.evil.example.": 400,
	} {
		r := httptest.NewRequest(http.MethodGet, "/Version", http.NoBody)
		r.Host, r.RemoteAddr = host, "127.0.0.1:5000"
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("host %q: %d, want %d", host, w.Code, want)
		}
	}
}

func TestQueryArguments(t *testing.T) {
	s, _ := newServer(t, guestapi.AllowEverything())
	_, want := post(t, s, "/GetKey", `{"path":"a/b","purpose":"sign"}`)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/GetKey?path=a%2Fb&purpose=sign", http.NoBody))
	if key, _ := want["key"].(string); w.Code != 200 || !strings.Contains(w.Body.String(), key) {
		t.Errorf("GET: %d %s", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/GetKey?json", strings.NewReader(`{"path":"a/b"}`)))
	if w.Header().Get("Content-Type") != "application/json" || w.Code != 200 {
		t.Errorf("?json: %d %v", w.Code, w.Header())
	}
	w = httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/GetKey", strings.NewReader(" {\"path\":\"a/b\"}")))
	if w.Header().Get("Content-Type") != "application/json" || w.Code != 200 {
		t.Errorf("forgotten content type: %d %v", w.Code, w.Header())
	}
	w = httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/prpc/Tappd.DeriveKey?path=p&alt_names[0]=a.com&alt_names[1]=b.com&usage_ra_tls=maybe", http.NoBody))
	if w.Code != 400 || !strings.Contains(w.Body.String(), "usage_ra_tls") {
		t.Errorf("bad bool: %d %s", w.Code, w.Body)
	}
}

// TestProtobuf: without a JSON content type both bodies are protobuf.
func TestProtobuf(t *testing.T) {
	s, _ := newServer(t, guestapi.AllowEverything())
	call := func(path string, body []byte) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/octet-stream")
		s.ServeHTTP(w, r)
		return w
	}
	_, want := post(t, s, "/GetKey", `{"path":"a/b","purpose":"sign"}`)
	w := call("/GetKey", append(field(1, "a/b"), field(2, "sign")...))
	fields := parse(t, w.Body.Bytes())
	if fmt.Sprintf("%x", fields[1][0]) != want["key"] || len(fields[2]) != 2 || len(fields[2][0]) != 65 || len(fields[2][1]) != 0 {
		t.Errorf("GetKey: %x", fields)
	}
	if w.Header().Get("Content-Type") != "application/octet-stream" || w.Header().Get("Content-Length") != strconv.Itoa(w.Body.Len()) {
		t.Errorf("headers %v", w.Header())
	}
	w = call("/GetQuote", field(1, "\x01\x02"))
	if fields = parse(t, w.Body.Bytes()); string(fields[1][0][568:570]) != "\x01\x02" || len(fields[3][0]) != 64 || string(fields[4][0]) != `{"cpu_count":1}` {
		t.Errorf("GetQuote: %x", fields[3])
	}
	if w = call("/EmitEvent", field(1, "ev")); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("Empty: %d %x", w.Code, w.Body.Bytes())
	}
	if w = call("/Nothing", nil); w.Code != 400 || string(parse(t, w.Body.Bytes())[1][0]) != "Service not found: Nothing" {
		t.Errorf("error: %d %x", w.Code, w.Body.Bytes())
	}
	flags := append(field(1, "s"), 3<<3, 1, 4<<3, 1, 6<<3, 0x80, 0x94, 0xeb, 0xdc, 0x03) // usage_ra_tls, server auth, not_before 10^9
	if w = call("/GetTlsKey", flags); w.Code != 200 || !strings.HasPrefix(string(parse(t, w.Body.Bytes())[2][0]), "-----BEGIN CERTIFICATE") {
		t.Errorf("GetTlsKey: %d %q", w.Code, w.Body)
	}
	for _, bad := range []string{"\x0a", "\x0a\x05ab", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x08\x01", "\x0b", "\x00\x00", "\x0a\x02\xff\xfe", "\xff"} {
		if w = call("/GetKey", []byte(bad)); w.Code != 400 {
			t.Errorf("protobuf %x: %d", bad, w.Code)
		}
	}
	if w = call("/GetKey", append(field(1, "a/b"), field(99, "later")...)); w.Code != 200 {
		t.Errorf("unknown field: %d", w.Code)
	}
}

func field(number int, content string) []byte {
	out := binary.AppendUvarint(nil, uint64(number)<<3|2)
	return append(binary.AppendUvarint(out, uint64(len(content))), content...)
}

// parse reads length-delimited fields only.
func parse(t *testing.T, raw []byte) map[uint64][][]byte {
	t.Helper()
	out := map[uint64][][]byte{}
	for len(raw) > 0 {
		key, n := binary.Uvarint(raw)
		size, m := binary.Uvarint(raw[n:])
		if key&7 != 2 || uint64(len(raw)) < uint64(n+m)+size {
			t.Fatalf("not a length-delimited field: %x", raw)
		}
		out[key>>3] = append(out[key>>3], raw[n+m:n+m+int(size)])
		raw = raw[n+m+int(size):]
	}
	return out
}

// TestHandWrittenClient: one packet per line, as the JavaScript SDK writes on unix sockets, and a Content-Length that counts
// characters instead of bytes.
func TestHandWrittenClient(t *testing.T) {
	path := serveUnix(t, guestapi.Limits{})
	conn, err := net.Dial("unix", path)
	must(t, err)
	defer conn.Close()
	body := `{"path":"茶"}`
	for _, line := range []string{"POST /GetKey HTTP/1.1\r\n", "Host: localhost\r\n", "Content-Type: application/json\r\n", "Content-Length: 12\r\n", "\r\n", body} {
		_, err := conn.Write([]byte(line))
		must(t, err)
		time.Sleep(2 * time.Millisecond)
	}
	must(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	defer answer.Body.Close()
	if answer.StatusCode != 400 || answer.ContentLength <= 0 || !answer.Close {
		t.Errorf("%d, length %d, close %v", answer.StatusCode, answer.ContentLength, answer.Close)
	}
}

// FuzzServer: whatever arrives, the answer has one of four statuses, its exact length, and no byte outside ASCII in JSON.
func FuzzServer(f *testing.F) {
	for _, path := range []string{"/GetKey", "/prpc/Tappd.TdxQuote", "/v1/Attest", "/Verify", "/GetTlsKey", "/prpc/Tappd.DeriveKey"} {
		f.Add(path, "application/json", []byte(`{"path":"a","report_data":"00","algorithm":"ed25519"}`))
		f.Add(path, "", []byte("\x0a\x01a\x12\x01b"))
	}
	s, _ := newServer(f, guestapi.AllowEverything())
	f.Fuzz(func(t *testing.T, path, contentType string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
		r.URL.Path = path
		r.Header.Set("Content-Type", contentType)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		switch w.Code {
		case 200, 400, 404, 413:
		default:
			t.Errorf("status %d", w.Code)
		}
		if w.Header().Get("Content-Length") != strconv.Itoa(w.Body.Len()) {
			t.Errorf("Content-Length %s for %d bytes", w.Header().Get("Content-Length"), w.Body.Len())
		}
		if w.Header().Get("Content-Type") == "application/json" && strings.ContainsFunc(w.Body.String(), func(r rune) bool { return r > 0x7f }) {
			t.Errorf("not ASCII: %q", w.Body)
		}
	})
}
