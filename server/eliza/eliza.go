// Package eliza serves Eliza v1's REST API (client-direct 0.1.9): the same routes, bodies and types, without what leaked
// secrets, crashed or lied. docs/eliza.md lists the differences with reasons.
//
// It trusts the bearer token for what changes state and nobody for anything else. Anybody may talk to an agent, within
// limits; a name or an id in a request is a claim and is recorded as one.
package eliza

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/ratls"
	"github.com/teapot-tee/teapot/server/access"
	"github.com/teapot-tee/teapot/server/express"
	"github.com/teapot-tee/teapot/server/tee"
)

// Options of the routes. Agents is needed; everything else may be left out.
type Options struct {
	Agents    *agent.Fleet
	Token     access.Token
	Lifecycle Lifecycle     // nil: set, start, stop and delete answer 501
	Process   tee.Process   // keys and evidence for /tee/*; nil: these routes answer Eliza's errors
	Quoter    tee.Quoter    // makes the attestations of /tee/*; nil: they are empty
	Budget    *ratls.Budget // of quotes, shared with every other route that makes them; nil: one of its own
	Limits    Limits        // the zero value is safe
	Uploads   int64         // bytes of one upload; 0 = 1 MiB
	Full      func() bool   // the disk is almost full: strangers wait, so that they cannot stop the log; nil: never
	Logger    *slog.Logger
	Now       func() time.Time
}

type routes struct {
	Options
	gate *gate
}

// New returns the handler of all of Eliza's routes.
func New(o Options) http.Handler {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Uploads <= 0 {
		o.Uploads = 1 << 20
	}
	if o.Budget == nil {
		o.Budget = ratls.DefaultBudget()
	}
	s := &routes{o, newGate(o.Limits)}
	mux := http.NewServeMux()
	for pattern, h := range s.table() {
		mux.HandleFunc(pattern, h)
	}
	tee.Options{
		Agents: s.logs, Token: o.Token, Process: o.Process, Quoter: o.Quoter, Budget: o.Budget, MaxBody: s.gate.Body, Logger: o.Logger, Now: o.Now,
	}.Register(mux)
	return mux
}

// logs are what /tee/* shows: the logs of the agents that run.
func (s *routes) logs() []tee.Agent {
	var list []tee.Agent
	for _, a := range s.Agents.All() {
		if log, ok := a.Log().(tee.Log); ok { // one that proves nothing has no rows
			list = append(list, tee.Agent{ID: a.ID(), Name: a.Name(), Log: log})
		}
	}
	return list
}

// Register puts the handler under everything that no other pattern of the mux takes.
func Register(mux *http.ServeMux, o Options) { mux.Handle("/", New(o)) }

func (s *routes) table() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /{$}":                         s.welcome,
		"GET /hello":                       s.hello,
		"GET /agents":                      s.list,
		"GET /storage":                     s.storage,
		"GET /agents/{id}":                 s.agent,
		"DELETE /agents/{id}":              s.guarded(s.remove),
		"POST /agents/{id}/set":            s.guarded(s.set),
		"POST /agent/start":                s.guarded(s.start),
		"POST /agents/{id}/stop":           s.guarded(s.stop),
		"GET /agents/{id}/channels":        s.channels,
		"GET /agents/{id}/{room}/memories": s.memories,
		"POST /{agent}/message":            s.message,
		"POST /{agent}/whisper":            s.whisper,
		"POST /{agent}/image":              s.image,
		"POST /{agent}/speak":              s.speak,
		"POST /{agent}/tts":                s.tts,
		"POST /agents/{agent}/hyperfi/v1":  s.absent("hyperfi"),
		"POST /fine-tune":                  s.absent("fine-tuning"),
		"GET /fine-tune/{asset}":           s.absent("fine-tuning"),
		"GET /media/uploads/{file}":        s.noMedia,
		"GET /media/generated/{file}":      s.noMedia,
		"GET /verifiable/agents":           s.verifiableAgents,
		"POST /verifiable/attestation":     s.verifiableAttestation,
		"POST /verifiable/logs":            s.verifiableLogs,
		"/":                                s.notFound,
	}
}

func (s *routes) welcome(w http.ResponseWriter, _ *http.Request) {
	express.Text(w, http.StatusOK, "Welcome, this is the REST API!")
}

func (s *routes) hello(w http.ResponseWriter, _ *http.Request) {
	express.JSON(w, http.StatusOK, map[string]string{"message": "Hello World!"})
}

func (s *routes) notFound(w http.ResponseWriter, r *http.Request) {
	express.Text(w, http.StatusNotFound, "Cannot "+method(r.Method)+" this path")
}

// method keeps a made-up method from becoming markup.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions:
		return m
	}
	return "ask"
}

// storage lists stored characters in Eliza; Teapot stores none outside its own data directory.
func (s *routes) storage(w http.ResponseWriter, _ *http.Request) {
	express.Fail(w, http.StatusInternalServerError, "Teapot keeps no character storage: characters are measured input")
}
