// Package v1 serves the action logs over HTTP: checkpoint, tiles, proofs, entries, bundles, receipts, a live stream, and
// the sidecar's append and erase.
//
// It trusts package actionlog for what an entry is and who may see its content, package access for who holds a token.
// It trusts no client: whoever has neither token nor secret gets leaves and public contents, names of rooms and users
// only as pseudonyms, and cannot even ask by a real id, because the answer would tell whether it is right.
package v1

import (
	"errors"
	"net/http"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/server/access"
	"github.com/teapot-tee/teapot/server/limit"
	"github.com/teapot-tee/teapot/server/problem"
)

// Logs serves the logs of a process.
type Logs struct {
	// Agent finds the log of an agent by its UUID.
	Agent func(id string) (*actionlog.Log, bool)
	// Token is who may write, erase and see what belongs to the owner.
	Token access.Token
	// Session makes the Evidence document over a session statement for a bundle's nonce; nil: bundles come without one.
	Session func(r *http.Request, nonce []byte) ([]byte, error)
	// Stopping ends live streams, which never end by themselves, when the server stops; nil: they last as long as their clients.
	Stopping <-chan struct{}
	// Open bounds the live streams and bundles that are under way at once; nil: package limit's numbers.
	Open *limit.Open
}

// Register adds the routes.
func (s Logs) Register(mux *http.ServeMux) {
	at := func(pattern string, h func(http.ResponseWriter, *http.Request, *actionlog.Log)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			l, ok := s.Agent(r.PathValue("agent"))
			if !ok {
				problem.Write(w, http.StatusNotFound, "no such agent", "no agent with this id runs here", "GET /v1/ lists the agents")
				return
			}
			h(w, r, l)
		})
	}
	if s.Open == nil {
		s.Open = new(limit.Open)
	}
	const log = " /v1/agents/{agent}/"
	at("GET"+log+"checkpoint", s.checkpoint)
	at("GET"+log+"tile/{path...}", s.tile)
	at("GET"+log+"proof", s.proof)
	at("GET"+log+"entries", s.entries)
	at("GET"+log+"entries/{index}", s.entry)
	at("GET"+log+"entries/{index}/causes", s.causes)
	at("GET"+log+"entries/{index}/effects", s.effects)
	at("GET"+log+"entries/{index}/tlog-proof", s.proofFile)
	at("GET"+log+"entries/{index}/scitt-receipt", s.scittReceipt)
	at("GET"+log+"entries/{index}/scitt-statement", s.scittStatement)
	at("POST"+log+"entries", s.append)
	at("POST"+log+"erasures", s.erase)
	at("GET"+log+"bundle", s.lasting(s.bundle))
	at("GET"+log+"receipts/{index}", s.receipt)
	at("GET"+log+"events", s.lasting(s.events))
	at("GET"+log+"stats", s.stats)
}

// lasting bounds answers that are held open for as long as their readers like.
func (s Logs) lasting(h func(http.ResponseWriter, *http.Request, *actionlog.Log)) func(http.ResponseWriter, *http.Request, *actionlog.Log) {
	return func(w http.ResponseWriter, r *http.Request, l *actionlog.Log) {
		leave, ok := s.Open.Enter(r)
		if !ok {
			w.Header().Set("Retry-After", "10")
			problem.Write(w, http.StatusServiceUnavailable, "too many streams", "as many streams and bundles as fit are open, or as many as one address may have", "close one, or try again in a few seconds; GET …/entries answers meanwhile")
			return
		}
		defer leave()
		h(w, r, l)
	}
}

// refuse writes the problem that belongs to an error of package actionlog.
func refuse(w http.ResponseWriter, err error) {
	var bad *actionlog.Invalid
	var kept *actionlog.NotErasable
	switch {
	case errors.Is(err, actionlog.ErrNotFound):
		problem.Write(w, http.StatusNotFound, "no such entry", "the log does not have it", "GET …/checkpoint says how many entries there are")
	case errors.As(err, &bad):
		problem.Write(w, http.StatusBadRequest, "invalid request", bad.Why, "correct it and try again; what is refused is not logged")
	case errors.As(err, &kept):
		problem.Write(w, http.StatusConflict, "not erased", kept.Why, kept.Next)
	case errors.Is(err, actionlog.ErrConflict):
		problem.Write(w, http.StatusConflict, "idempotency key in use", err.Error(), "use a new key for a new entry; a retry sends exactly the same entry")
	case errors.Is(err, actionlog.ErrBusy):
		w.Header().Set("Retry-After", "1")
		problem.Write(w, http.StatusServiceUnavailable, "log is busy", err.Error(), "try again in a second, with the same idempotency key")
	case errors.Is(err, actionlog.ErrStopped), errors.Is(err, actionlog.ErrNotBooted):
		problem.Write(w, http.StatusServiceUnavailable, "log is closed", err.Error(), "the process must start anew; entries acknowledged before are safe")
	default:
		problem.Write(w, http.StatusInternalServerError, "log could not answer", err.Error(), "the operator's log of this process says more")
	}
}

func badParameter(w http.ResponseWriter, cause string) {
	problem.Write(w, http.StatusBadRequest, "bad parameter", cause, "docs/formats/entries.md lists the parameters")
}
