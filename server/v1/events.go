package v1

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/tlog"
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
	if st.send(": teapot\n\n") != nil || st.backlog(from) != nil {
		return
	}
	st.follow(r, live, s.Stopping)
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

// backlog sends what was missed, all of it under one checkpoint that covers exactly that.
func (s *stream) backlog(from uint64) error {
	s.next = from
	note := s.l.Checkpoint()
	if note == nil {
		return nil
	}
	c, err := tlog.ParseCheckpoint(note)
	if err != nil {
		return err
	}
	for s.next < c.Size {
		path, err := s.l.InclusionProof(s.next, c.Size)
		if err != nil {
			return err
		}
		if err := s.entry(s.next, path, note); err != nil {
			return err
		}
	}
	return nil
}

// entry sends one entry. A live one comes under the checkpoint of its own commit, so that the last entry of a commit
// and its checkpoint have the same size: a reader who audits along can close the step there.
func (s *stream) entry(i uint64, path []tlog.Hash, note []byte) error {
	it, err := s.l.Entry(context.Background(), i)
	if err != nil {
		return err
	}
	it = s.l.For(it, s.v)
	b, err := encode(entryOf(&it).prove(path, note))
	if err != nil {
		return err
	}
	s.next = i + 1
	return s.send(fmt.Sprintf("event: entry\nid: %d\ndata: %s\n\n", i, bytes.TrimSpace(b)))
}

// follow ends when the client goes, the server stops, the log closes, or the client is so slow that the log dropped it: it comes back
// with Last-Event-ID and misses nothing.
func (s *stream) follow(r *http.Request, live <-chan actionlog.Proof, stopping <-chan struct{}) {
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
				err = s.entry(p.Index, p.Path, p.Checkpoint)
			}
		case <-beat.C:
			err = s.send(": still here\n\n")
		case <-r.Context().Done():
			return
		case <-stopping:
			return
		}
		if err != nil {
			return
		}
	}
}
