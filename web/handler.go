package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Options of the pages.
type Options struct {
	// Next answers everything that is not a page of ours: Eliza's routes, /v1. Nil: 404.
	Next http.Handler
	// Reports is the directory for quotes uploaded to /api/upload, made when the first arrives. Empty: uploads are refused.
	Reports string
	// MaxReports bounds the reports kept; the oldest goes first. Zero: 1,000.
	MaxReports int
}

// Handler serves the pages and the upload of quotes, and leaves everything else to o.Next.
//
//	GET /                     the agent page, only for a browser's navigation (Accept text/html, Sec-Fetch-Dest document)
//	GET /agent                the agent page for everybody: browsers say no Sec-Fetch-Dest on plain http to another machine
//	GET /explorer /chat /dashboard
//	GET /web/{file}           scripts, styles, the verifier; /web/manifest.json lists them with their hashes
//	GET /explorer.html        the explorer as one file that works from a disk
//	POST /api/upload          multipart "file" → {checksum, permalink, …}
//	GET /reports/{checksum}   the permalink: the explorer with that report; /api/reports/{checksum} its bytes
func Handler(o Options) (http.Handler, error) {
	files, err := embedded()
	if err != nil {
		return nil, err
	}
	p := &pages{files: files, next: o.Next, reports: newReports(o.Reports, o.MaxReports)}
	if p.next == nil {
		p.next = http.NotFoundHandler()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.index)
	mux.HandleFunc("GET /agent", func(w http.ResponseWriter, r *http.Request) { p.file(w, r, "index.html") })
	for _, name := range []string{"explorer", "chat", "dashboard"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) { p.file(w, r, name+".html") })
	}
	mux.HandleFunc("GET /explorer.html", p.single)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) { p.file(w, r, "web/teapot.svg") })
	mux.HandleFunc("GET /web/manifest.json", p.manifest)
	mux.HandleFunc("GET /web/{file}", func(w http.ResponseWriter, r *http.Request) { p.file(w, r, "web/"+r.PathValue("file")) })
	mux.HandleFunc("POST /api/upload", p.reports.upload)
	mux.HandleFunc("GET /api/reports/{checksum}", p.reports.bytes)
	mux.HandleFunc("GET /reports/{checksum}", p.reports.permalink)
	mux.Handle("/", p.next)
	return mux, nil
}

type pages struct {
	files   bundle
	next    http.Handler
	reports *reports
}

// index answers a person's browser with the agent page and everybody else with what Eliza answers there.
func (p *pages) index(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept, Sec-Fetch-Dest")
	if navigation(r) {
		p.file(w, r, "index.html")
		return
	}
	w.Header().Add("Link", `</agent>; rel="alternate"; type="text/html"`)
	if silent(r) {
		w.Header().Set("Refresh", "0; url=/agent") // a browser goes on to the page; the answer is Eliza's, byte for byte
	}
	p.next.ServeHTTP(w, r)
}

// navigation reports whether a person opens this address in a browser. A script's fetch has another destination.
func navigation(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html") && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// silent reports whether this may be a browser that does not say what it opens the address for: one too old, or any on plain
// http to another machine, where browsers send no Sec-Fetch headers at all (W3C Fetch Metadata, section 2).
func silent(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html") && r.Header.Get("Sec-Fetch-Dest") == ""
}

// file writes one file of the bundle, compressed as the client likes, revalidated by its hash.
func (p *pages) file(w http.ResponseWriter, r *http.Request, name string) {
	a := p.files[name]
	if a == nil {
		p.missing(w, name)
		return
	}
	secure(w.Header(), name)
	alone(w, r, name)
	coding := pick(r.Header.Get("Accept-Encoding"))
	tag := fmt.Sprintf(`"%x-%s"`, a.sum[:16], coding)
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Add("Vary", "Accept-Encoding")
	if matches(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := a.body
	if pack := a.packed[coding]; pack != nil {
		body = pack()
		w.Header().Set("Content-Encoding", coding)
	}
	write(w, mediaType(name), body)
}

func (p *pages) missing(w http.ResponseWriter, name string) {
	if name == verifier || name == "web/wasm_exec.js" {
		problem(w, http.StatusNotFound, "no verifier in this build", "the binary was built without its WASM verifier", "build it with: make build")
		return
	}
	problem(w, http.StatusNotFound, "no such file", name+" is not part of the pages", "see /web/manifest.json for what is")
}

// matches implements If-None-Match for the one tag we have (RFC 9110 section 13.1.2).
func matches(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == tag || candidate == "*" {
			return true
		}
	}
	return false
}

func write(w http.ResponseWriter, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the reader went away: nobody to tell
}
