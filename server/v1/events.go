package v1

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
)

const heartbeat = 15 * time.Second

// events streams each new entry with proof and checkpoint as server-sent events of type "entry" whose id is the index.
// Last-Event-ID, or the parameter from, asks for what was missed first.
func (s Logs) events(w http.ResponseWriter, r *http.Request, l *actionlog.Log) {
	from, bad := resume(r, l.Size())
	if bad != "" {
		badParameter(w, bad)
		return
	}
	live := l.Subscribe(r.Context())
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	st := &stream{w: w, flush: http.NewResponseController(w), l: l, v: s.viewer(r)}
	if st.send(": teapot\n\n") != nil || st.backlog(from, l.Size()) != nil {
		return
	}
	st.follow(r, live)
}

func resume(r *http.Request, size uint64) (from uint64, bad string) {
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		n, err := strconv.ParseUint(id, 10, 53)
		if err != nil {
			return 0, "Last-Event-ID is not an index"
		}
		return n + 1, ""
	}
	p := params{Values: r.URL.Query()}
	if p.Get("from") == "" {
		return size, ""
	}
	return p.number("from"), p.bad
}

type stream struct {
	w     http.ResponseWriter
	flush *http.ResponseController
	l     *actionlog.Log
	v     actionlog.Viewer
	next  uint64
}

func (s *stream) send(text string) error {
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.flush.Flush()
}

func (s *stream) backlog(from, to uint64) error {
	for s.next = from; s.next < to; {
		if err := s.entry(s.next); err != nil {
			return err
		}
	}
	return nil
}

// entry sends one entry under the newest checkpoint.
func (s *stream) entry(i uint64) error {
	it, err := s.l.Entry(context.Background(), i)
	if err != nil {
		return err
	}
	p, err := s.l.Prove(i)
	if err != nil {
		return err
	}
	it = s.l.For(it, s.v)
	b, err := encode(entryOf(&it).prove(p.Path, p.Checkpoint))
	if err != nil {
		return err
	}
	s.next = i + 1
	return s.send(fmt.Sprintf("event: entry\nid: %d\ndata: %s\n\n", i, bytes.TrimSpace(b)))
}

// follow ends when the client goes, the log closes, or the client is so slow that the log dropped it: it comes back
// with Last-Event-ID and misses nothing.
func (s *stream) follow(r *http.Request, live <-chan actionlog.Proof) {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		var err error
		select {
		case p, open := <-live:
			if !open {
				return
			}
			if p.Index >= s.next {
				err = s.entry(p.Index)
			}
		case <-beat.C:
			err = s.send(": still here\n\n")
		case <-r.Context().Done():
			return
		}
		if err != nil {
			return
		}
	}
}
