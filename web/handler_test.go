package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/andybalholm/brotli"
)

func handler(t *testing.T, o Options) http.Handler {
	t.Helper()
	h, err := Handler(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func eliza() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "Welcome, this is the REST API!")
	})
}

func TestIndexIsOnlyForNavigations(t *testing.T) {
	h := handler(t, Options{Next: eliza()})
	cases := []struct {
		name, accept, dest string
		page               bool
	}{
		{"a person's browser", "text/html,application/xhtml+xml,*/*;q=0.8", "document", true},
		{"curl", "*/*", "", false},
		{"a script's fetch", "*/*", "empty", false},
		{"a fetch that asks for HTML", "text/html", "empty", false},
		{"a frame", "text/html", "iframe", false},
		{"HTML without a destination", "text/html", "", false},
	}
	for _, c := range cases {
		w := get(h, "/", "Accept", c.accept, "Sec-Fetch-Dest", c.dest)
		if got := strings.Contains(w.Body.String(), "<!doctype html>"); got != c.page {
			t.Errorf("%s: page = %v, want %v", c.name, got, c.page)
		}
		if !strings.Contains(w.Header().Get("Vary"), "Sec-Fetch-Dest") {
			t.Errorf("%s: a cache could mix the two answers: Vary = %q", c.name, w.Header().Get("Vary"))
		}
		if !c.page && w.Body.String() != "Welcome, this is the REST API!" {
			t.Errorf("%s: Eliza's answer reads %q", c.name, w.Body)
		}
	}
}

// On plain http to another machine a browser says no Sec-Fetch-Dest: it gets Eliza's text, unchanged, and a header that
// leads a person on to the page. Nobody else is led anywhere.
func TestNobodyIsLostAtTheIndex(t *testing.T) {
	h := handler(t, Options{Next: eliza()})
	browser := "text/html,application/xhtml+xml,*/*;q=0.8"
	if got := get(h, "/", "Accept", browser).Header().Get("Refresh"); got != "0; url=/agent" {
		t.Errorf("a browser on plain http is led to %q", got)
	}
	for name, w := range map[string]*httptest.ResponseRecorder{
		"curl": get(h, "/", "Accept", "*/*"), "no Accept": get(h, "/"), "a script": get(h, "/", "Accept", browser, "Sec-Fetch-Dest", "empty"),
	} {
		if got := w.Header().Get("Refresh"); got != "" {
			t.Errorf("%s is led to %q", name, got)
		}
	}
	for _, accept := range []string{"*/*", browser} {
		if w := get(h, "/agent", "Accept", accept); w.Code != 200 || !strings.Contains(w.Body.String(), "<tp-agent") {
			t.Errorf("/agent for Accept %s: %d %.60s", accept, w.Code, w.Body)
		}
	}
}

func TestPagesHaveTheStrictPolicy(t *testing.T) {
	h := handler(t, Options{})
	for _, path := range []string{"/explorer", "/chat", "/dashboard"} {
		w := get(h, path)
		policy := w.Header().Get("Content-Security-Policy")
		if w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
		for _, part := range []string{"default-src 'none'", "script-src 'self' 'wasm-unsafe-eval';", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: policy has no %q: %s", path, part, policy)
			}
		}
		if strings.Contains(policy, "unsafe-inline") || strings.Contains(policy, "'unsafe-eval'") {
			t.Errorf("%s: %s", path, policy)
		}
		if open := strings.Contains(policy, "connect-src 'self' https:"); open != (path == "/explorer") {
			t.Errorf("%s: may ask other origins = %v", path, open)
		}
	}
}

func TestFilesAreRevalidatedAndCompressed(t *testing.T) {
	h := handler(t, Options{})
	plain := get(h, "/web/app.css")
	unpack := map[string]func(io.Reader) io.Reader{
		"br":   func(r io.Reader) io.Reader { return brotli.NewReader(r) },
		"gzip": func(r io.Reader) io.Reader { z, _ := gzip.NewReader(r); return z },
	}
	for coding, reader := range unpack {
		w := get(h, "/web/app.css", "Accept-Encoding", coding)
		body, err := io.ReadAll(reader(w.Body))
		if err != nil || !bytes.Equal(body, plain.Body.Bytes()) {
			t.Errorf("%s: differs from the plain file (%v)", coding, err)
		}
		if w.Header().Get("Content-Encoding") != coding || w.Header().Get("ETag") == plain.Header().Get("ETag") {
			t.Errorf("%s: encoding %q, tag %q", coding, w.Header().Get("Content-Encoding"), w.Header().Get("ETag"))
		}
		again := get(h, "/web/app.css", "Accept-Encoding", coding, "If-None-Match", w.Header().Get("ETag"))
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s: revalidation answered %d with %d bytes", coding, again.Code, again.Body.Len())
		}
	}
}

// The opener policy goes where browsers honour it; over plain http from another machine they would complain to the reader.
func TestOpenerPolicyIsForTrustworthyOrigins(t *testing.T) {
	h := handler(t, Options{})
	if got := get(h, "/explorer", "Sec-Fetch-Site", "none").Header().Get("Cross-Origin-Opener-Policy"); got != "same-origin" {
		t.Errorf("a trustworthy origin gets %q", got)
	}
	if got := get(h, "/explorer").Header().Get("Cross-Origin-Opener-Policy"); got != "" {
		t.Errorf("plain http from another machine gets %q", got)
	}
}

func TestPick(t *testing.T) {
	for header, want := range map[string]string{
		"": "", "identity": "", "gzip": "gzip", "gzip, deflate, br, zstd": "br", "br;q=0, gzip;q=0.5": "gzip", "br; q=0.0": "", "BR": "br", "br;q=1.0": "br",
	} {
		if got := pick(header); got != want {
			t.Errorf("pick(%q) = %q, want %q", header, got, want)
		}
	}
}

func TestMissingVerifierSaysHowToBuildIt(t *testing.T) {
	files, err := load(fstest.MapFS{"dist/explorer.html": {Data: []byte("x")}})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	(&pages{files: files}).file(w, httptest.NewRequest(http.MethodGet, "/web/verifier.wasm", nil), verifier)
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestVerifierIsServedForStreaming(t *testing.T) {
	var packed bytes.Buffer
	z := brotli.NewWriter(&packed)
	_, _ = z.Write([]byte("\x00asm"))
	_ = z.Close()
	files, err := load(fstest.MapFS{"dist/web/verifier.wasm.br": {Data: packed.Bytes()}})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/web/verifier.wasm", nil)
	r.Header.Set("Accept-Encoding", "gzip, br")
	(&pages{files: files}).file(w, r, verifier)
	if w.Header().Get("Content-Type") != "application/wasm" || w.Header().Get("Content-Encoding") != "br" {
		t.Errorf("headers %v", w.Header())
	}
	if !bytes.Equal(w.Body.Bytes(), packed.Bytes()) {
		t.Error("the stored compression is not what was sent")
	}
	if sum := sha256.Sum256([]byte("\x00asm")); files.files()[0].SHA256 != hex.EncodeToString(sum[:]) {
		t.Error("the manifest does not name the uncompressed bytes")
	}
}

func TestManifestNamesEveryFile(t *testing.T) {
	w := get(handler(t, Options{}), "/web/manifest.json")
	var m struct {
		SHA256 string `json:"sha256"`
		Files  []File `json:"files"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for _, f := range m.Files {
		lines.WriteString(f.SHA256 + "  " + f.Name + "\n")
	}
	sum := sha256.Sum256([]byte(lines.String()))
	want, err := Hash()
	if err != nil || m.SHA256 != hex.EncodeToString(sum[:]) || m.SHA256 != want {
		t.Errorf("manifest %s, lines %x, Hash %s, %v", m.SHA256, sum, want, err)
	}
}

func send(t *testing.T, h http.Handler, field string, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	part, err := m.CreateFormFile(field, "quote.bin")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(body)
	_ = m.Close()
	r := httptest.NewRequest(http.MethodPost, "/api/upload", &form)
	r.Header.Set("Content-Type", m.FormDataContentType())
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func aQuote(size int) []byte { return append([]byte{4, 0, 2, 0, 0x81}, make([]byte, size-5)...) }

func TestUploadGivesAPermalinkByHash(t *testing.T) {
	h := handler(t, Options{Reports: filepath.Join(t.TempDir(), "reports")})
	body := aQuote(5000)
	w := send(t, h, "file", body)
	var answer struct {
		Success   bool   `json:"success"`
		Checksum  string `json:"checksum"`
		Permalink string `json:"permalink"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	sum := sha256.Sum256(body)
	if !answer.Success || answer.Checksum != hex.EncodeToString(sum[:]) {
		t.Errorf("answer %+v", answer)
	}
	if got := get(h, "/api/reports/"+answer.Checksum); !bytes.Equal(got.Body.Bytes(), body) || !strings.Contains(got.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("kept %d bytes, headers %v", got.Body.Len(), got.Header())
	}
	if got := get(h, answer.Permalink); got.Code != http.StatusFound || got.Header().Get("Location") != "/explorer#report="+answer.Checksum {
		t.Errorf("permalink: %d %s", got.Code, got.Header().Get("Location"))
	}
}

func TestUploadRefuses(t *testing.T) {
	h := handler(t, Options{Reports: t.TempDir()})
	cases := []struct {
		name, field string
		body        []byte
		status      int
	}{
		{"a page", "file", []byte("<html><script>alert(1)</script></html>"), http.StatusUnsupportedMediaType},
		{"nothing", "file", nil, http.StatusUnsupportedMediaType},
		{"another field", "picture", aQuote(100), http.StatusBadRequest},
		{"too much", "file", aQuote(maxReport + 1), http.StatusRequestEntityTooLarge},
		{"far too much", "file", aQuote(4 << 20), http.StatusRequestEntityTooLarge},
	}
	for _, c := range cases {
		if w := send(t, h, c.field, c.body); w.Code != c.status {
			t.Errorf("%s: %d, want %d: %s", c.name, w.Code, c.status, w.Body)
		}
	}
	if w := send(t, handler(t, Options{}), "file", aQuote(100)); w.Code != http.StatusNotImplemented {
		t.Errorf("without a directory: %d", w.Code)
	}
	for _, path := range []string{"/api/reports/..%2f..%2fetc%2fpasswd", "/api/reports/" + strings.Repeat("0", 64), "/reports/x"} {
		if w := get(h, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestReportsAreBoundedOldestFirst(t *testing.T) {
	dir := t.TempDir()
	s := newReports(dir, 3)
	names := []string{"a", "b", "c", "d", "e"}
	for i, name := range names {
		if err := s.keep(name, []byte(name)); err != nil {
			t.Fatal(err)
		}
		when := time.Unix(int64(1000+i), 0)
		if err := os.Chtimes(filepath.Join(dir, name), when, when); err != nil {
			t.Fatal(err)
		}
	}
	entries, _ := os.ReadDir(dir)
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if strings.Join(left, "") != "cde" {
		t.Errorf("kept %v, want the newest three", left)
	}
}

func TestSingleFileHoldsEverything(t *testing.T) {
	all, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	full := bundle{}
	for name, a := range all {
		full[name] = a
	}
	for name, text := range map[string]string{verifier: "\x00asm", "web/wasm_exec.js": "globalThis.Go=class{}"} {
		a, err := newAsset(name, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		full[name] = a
	}
	page, err := full.single()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{`src="web/`, `href="web/`} {
		if bytes.Contains(page, []byte(link)) {
			t.Errorf("the single file still needs a server: %s", link)
		}
	}
	for _, part := range []string{"inline-worker", "inline-wasm", "Content-Security-Policy"} {
		if !bytes.Contains(page, []byte(part)) {
			t.Errorf("no %s in the single file", part)
		}
	}
}
