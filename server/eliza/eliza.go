// Package eliza serves Eliza v1's REST API (client-direct 0.1.9): the same routes, bodies and types, without what leaked
// secrets, crashed or lied. docs/eliza.md lists the differences with reasons.
//
// It trusts the bearer token for what changes state and nobody for anything else. Anybody may talk to an agent, within
// limits; a name or an id in a request is a claim and is recorded as one.
package eliza

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/ratls"
	"github.com/teapot-tee/teapot/server/access"
)

// Options of the routes. Agents is needed; everything else may be left out.
type Options struct {
	Agents    *agent.Fleet
	Token     access.Token
	Lifecycle Lifecycle     // nil: set, start, stop and delete answer 501
	Process   Process       // keys and evidence for /tee/*; nil: these routes answer Eliza's errors
	Quoter    Quoter        // makes the attestations of /tee/*; nil: they are empty
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
	return mux
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
		"GET /tee/agents":                  s.teeAgents,
		"GET /tee/agents/{id}":             s.teeAgent,
		"POST /tee/logs":                   s.teeLogs,
		"GET /verifiable/agents":           s.verifiableAgents,
		"POST /verifiable/attestation":     s.verifiableAttestation,
		"POST /verifiable/logs":            s.verifiableLogs,
		"/":                                s.notFound,
	}
}

func (s *routes) welcome(w http.ResponseWriter, _ *http.Request) {
	text(w, http.StatusOK, "Welcome, this is the REST API!")
}

func (s *routes) hello(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"message": "Hello World!"})
}

func (s *routes) notFound(w http.ResponseWriter, r *http.Request) {
	text(w, http.StatusNotFound, "Cannot "+method(r.Method)+" this path")
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
	fail(w, http.StatusInternalServerError, "Teapot keeps no character storage: characters are measured input")
}

// text answers as Express's res.send(string) does, without ever sending markup.
func text(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // the client is gone; nothing to tell it
}

// encode writes JSON as JSON.stringify does: no HTML escaping, U+2028 and U+2029 as they are.
func encode(v any) ([]byte, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return unescape([]byte(strings.TrimSuffix(b.String(), "\n"))), nil
}

// unescape turns \u2028 and \u2029, which encoding/json always escapes, into the characters; an escaped backslash
// before "u2028" is left alone.
func unescape(b []byte) []byte {
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+5 < len(b) && (string(b[i:i+6]) == `\u2028` || string(b[i:i+6]) == `\u2029`) {
			out = append(out, 0xE2, 0x80, 0xA0|b[i+5]&0x0F)
			i += 5
			continue
		}
		out = append(out, b[i])
		if b[i] == '\\' && i+1 < len(b) {
			i++
			out = append(out, b[i])
		}
	}
	return out
}

func answer(w http.ResponseWriter, status int, v any) {
	body, err := encode(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"the answer could not be written"}`)
	}
	raw(w, status, body)
}

func raw(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone; nothing to tell it
}

// fail answers Eliza's {"error": …}.
func fail(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]string{"error": why})
}
