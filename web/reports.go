package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"
)

// A report is what Eliza's REMOTE_ATTESTATION action uploads: a quote (or evidence around one), a few kilobytes.
const (
	maxReport      = 256 << 10
	defaultReports = 1000
)

// reports keeps uploads by SHA-256. It is open to anybody, so it is bounded and the oldest goes first;
// it promises nothing about what it holds: the explorer judges the bytes in the reader's browser.
type reports struct {
	dir string
	max int
	mu  sync.Mutex // one writer: counting and evicting are one step
}

func newReports(dir string, limit int) *reports {
	if limit <= 0 {
		limit = defaultReports
	}
	return &reports{dir: dir, max: limit}
}

var checksumForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// upload answers POST /api/upload, multipart field "file", as the clients of proof.t16z.com send it.
func (s *reports) upload(w http.ResponseWriter, r *http.Request) {
	if s.dir == "" {
		problem(w, http.StatusNotImplemented, "uploads are off", "this server keeps no reports", "open /explorer and drop the file there: nothing is uploaded")
		return
	}
	body, err := uploaded(w, r)
	if err != nil {
		uploadProblem(w, err)
		return
	}
	if !recognised(body) {
		problem(w, http.StatusUnsupportedMediaType, "not evidence", "the file is no quote, no bundle and no JSON", "send the quote's bytes, hex, base64 or the JSON around it")
		return
	}
	sum := sha256.Sum256(body)
	checksum := hex.EncodeToString(sum[:])
	if err := s.keep(checksum, body); err != nil {
		problem(w, http.StatusInsufficientStorage, "not kept", "the report could not be written", "ask the operator to look at the disk")
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"success": true, "checksum": checksum, "size": len(body),
		"permalink": "/reports/" + checksum, "url": base(r) + "/reports/" + checksum,
	})
}

func uploaded(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxReport+16<<10) // room for the multipart frame
	reader, err := r.MultipartReader()
	if err != nil {
		return nil, err
	}
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, errNoFile
		}
		if err != nil {
			return nil, err
		}
		if part.FormName() != "file" {
			continue
		}
		body, err := io.ReadAll(io.LimitReader(part, maxReport+1))
		if err == nil && len(body) > maxReport {
			err = &http.MaxBytesError{Limit: maxReport}
		}
		return body, err
	}
}

var errNoFile = errors.New(`no part named "file"`)

func uploadProblem(w http.ResponseWriter, err error) {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		problem(w, http.StatusRequestEntityTooLarge, "too large", "a report is at most 256 KiB", "upload the quote, not the log; open a bundle in /explorer")
		return
	}
	problem(w, http.StatusBadRequest, "not an upload", err.Error(), `send multipart/form-data with the quote in the part "file"`)
}

// recognised keeps the store from being anybody's file host: quotes in binary, hex or base64, JSON, bundles.
func recognised(b []byte) bool {
	text := bytes.TrimSpace(b)
	if len(text) == 0 {
		return false
	}
	if len(b) > 48 && b[0] >= 3 && b[0] <= 5 && b[1] == 0 { // quote header: version, little-endian
		return true
	}
	return text[0] == '{' || bytes.HasPrefix(b, []byte("TEAPOT-BUNDLE")) || encoded.Match(text)
}

var encoded = regexp.MustCompile(`^(0x)?[A-Za-z0-9+/_=\s-]{64,}$`)

func (s *reports) keep(checksum string, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	name := filepath.Join(s.dir, checksum)
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	if err := s.evict(); err != nil {
		return err
	}
	if err := os.WriteFile(name+".new", body, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// evict makes room for one more.
func (s *reports) evict() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil || len(entries) < s.max {
		return err
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return written(a).Compare(written(b)) })
	for _, e := range entries[:len(entries)-s.max+1] {
		if err := os.Remove(filepath.Join(s.dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// bytes answers with what was uploaded, as a download and never as a page.
func (s *reports) bytes(w http.ResponseWriter, r *http.Request) {
	checksum := r.PathValue("checksum")
	if s.dir == "" || !checksumForm.MatchString(checksum) {
		noReport(w)
		return
	}
	body, err := os.ReadFile(filepath.Join(s.dir, checksum))
	if err != nil {
		noReport(w)
		return
	}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Content-Disposition", `attachment; filename="`+checksum[:16]+`.quote"`)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Access-Control-Allow-Origin", "*")
	write(w, "application/octet-stream", body)
}

func noReport(w http.ResponseWriter) {
	problem(w, http.StatusNotFound, "no such report", "nothing with this checksum is kept here", "reports are bounded and the oldest goes first; upload it again")
}

// permalink sends a browser to the explorer, which fetches the bytes and checks them against the checksum.
func (s *reports) permalink(w http.ResponseWriter, r *http.Request) {
	checksum := r.PathValue("checksum")
	if !checksumForm.MatchString(checksum) {
		noReport(w)
		return
	}
	http.Redirect(w, r, "/explorer#report="+checksum, http.StatusFound)
}

func base(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// written is the time of the file, or the zero time when it is already gone.
func written(e fs.DirEntry) time.Time {
	info, err := e.Info()
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
