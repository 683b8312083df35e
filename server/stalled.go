package server

import (
	"net/http"
	"time"
)

// writeTimeout is how long one piece of an answer may take to leave. Whole answers may take longer (streams, large bundles).
const writeTimeout = 60 * time.Second

// patient ends answers whose reader does not read: a handler that waits for such a reader holds files, memory and a place among
// those that are served. The time starts anew with every piece.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	last    time.Time
	h2      bool // there a deadline that passes resets the stream also when nothing waits to be written
}

func newPatient(w http.ResponseWriter, r *http.Request, timeout time.Duration) *patient {
	p := &patient{ResponseWriter: w, control: http.NewResponseController(w), timeout: timeout, h2: r.ProtoMajor == 2}
	if !p.h2 {
		p.extend() // the connection still has the deadline of the request before
	}
	return p
}

// extend starts the time anew. A second's difference is not worth a call.
func (p *patient) extend() {
	if now := time.Now(); p.h2 || now.Sub(p.last) >= p.timeout/60 {
		p.last = now
		_ = p.control.SetWriteDeadline(now.Add(p.timeout)) // a writer without a connection cannot stall
	}
}

// rest stops the time while the handler works.
func (p *patient) rest() {
	if p.h2 {
		_ = p.control.SetWriteDeadline(time.Time{}) // as above
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (p *patient) WriteHeader(status int) {
	p.extend()
	defer p.rest()
	p.ResponseWriter.WriteHeader(status)
}

func (p *patient) Write(b []byte) (int, error) {
	p.extend()
	defer p.rest()
	return p.ResponseWriter.Write(b)
}

// FlushError is what http.ResponseController calls to flush.
func (p *patient) FlushError() error {
	p.extend()
	defer p.rest()
	return p.control.Flush()
}
