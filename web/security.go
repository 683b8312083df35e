package web

import (
	"encoding/json"
	"net/http"
	"path"
)

// What a page may do. Scripts are ours or nobody's; the verifier needs 'wasm-unsafe-eval'; strings never become
// markup (Trusted Types; the one policy, "teapot", makes the worker's address). Only the explorer and the badge's
// page may ask other origins, because there the reader names the address to check.
const (
	policyBase = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; " +
		"worker-src 'self' blob:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
	policyTypes  = "; require-trusted-types-for 'script'; trusted-types teapot"
	connectSelf  = "connect-src 'self'"
	connectOther = "connect-src 'self' https: http://localhost:* http://127.0.0.1:*"
)

// secure sets the headers of one file.
func secure(h http.Header, name string) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	switch {
	case name == "explorer.html":
		h.Set("Content-Security-Policy", policyBase+connectOther+policyTypes)
	case path.Ext(name) == ".html":
		h.Set("Content-Security-Policy", policyBase+connectSelf+policyTypes)
	case name == "web/worker.js": // a worker has a policy of its own; importScripts takes strings
		h.Set("Content-Security-Policy", policyBase+connectSelf)
		open(h)
	default:
		h.Set("Content-Security-Policy", "default-src 'none'")
		open(h)
	}
}

// alone keeps other pages from holding on to this one's window. Browsers honour it on trustworthy origins only, which are those where
// they send Sec-Fetch headers; elsewhere it is an error in the reader's console.
func alone(w http.ResponseWriter, r *http.Request, name string) {
	if path.Ext(name) == ".html" && r.Header.Get("Sec-Fetch-Site") != "" {
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
	}
}

// open lets other origins embed the badge: these files are public and the same for everybody.
func open(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// problem writes an RFC 9457 problem.
func problem(w http.ResponseWriter, status int, title, cause, next string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "title": title, "status": status, "cause": cause, "next": next,
	})
}

// manifest lists the files with their hashes, and the hash of the whole.
func (p *pages) manifest(w http.ResponseWriter, _ *http.Request) {
	list := p.files.files()
	secure(w.Header(), "manifest.json")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "teapot/pages/v1", "sha256": hash(list), "files": list, "verifier": p.files[verifier] != nil,
	})
}
