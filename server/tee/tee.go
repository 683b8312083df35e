// Package tee serves Eliza's /tee/*: the rows of its action log and the keys behind them, wire-compatible with clients of
// plugin-tee-log, and with what those could not have: a proof for every row, and on request a quote over nonce, query and answer.
//
// It trusts the bearer token and room secrets for what is not public, and nobody for anything else.
package tee

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/ratls"
	"github.com/teapot-tee/teapot/server/access"
	"github.com/teapot-tee/teapot/server/express"
)

// Agent is one agent with its log.
type Agent struct {
	ID, Name string
	Log      Log
}

// Log is what is read of a log; *actionlog.Log is one.
type Log interface {
	Query(ctx context.Context, q actionlog.Query) (actionlog.Page, error)
	ProveAll(indices []uint64) ([]actionlog.Proof, error)
	HoldsRoom(v actionlog.Viewer, room string) bool
	Origin() string
	Checkpoint() []byte
}

// Process is what is needed of this start; *boot.Process is one.
type Process interface {
	Agent(id string) (*boot.Agent, bool)
	Statement() evidence.Boot
	Evidence() *evidence.Evidence
	Extract(ctx context.Context, nonce []byte, query string, result []byte, checkpoint string) (document []byte, err error)
}

// Quoter makes quotes; an attest.Attester is one.
type Quoter interface {
	Platform() string
	Quote(ctx context.Context, reportData [64]byte) (attest.Quote, error)
}

// Options of the routes. Agents is needed.
type Options struct {
	Agents  func() []Agent
	Token   access.Token
	Process Process       // keys and evidence; nil: the routes answer Eliza's errors
	Quoter  Quoter        // makes attestations; nil: they are empty
	Budget  *ratls.Budget // of quotes, shared with every other route that makes them; nil: one of its own
	MaxBody int64         // bytes of a body; 0 = 100 kB, as Eliza
	Logger  *slog.Logger
	Now     func() time.Time
}

type routes struct {
	Options
	searching chan struct{} // holds a token while a stranger's text is looked for
}

// Register adds the routes to a mux.
func (o Options) Register(mux *http.ServeMux) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Budget == nil {
		o.Budget = ratls.DefaultBudget()
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 100 << 10
	}
	s := &routes{o, make(chan struct{}, 1)}
	mux.HandleFunc("GET /tee/agents", s.agents)
	mux.HandleFunc("GET /tee/agents/{id}", s.agent)
	mux.HandleFunc("POST /tee/logs", s.logs)
}

func (s *routes) find(id string) (Agent, bool) {
	for _, a := range s.Agents() {
		if a.ID == id {
			return a, true
		}
	}
	return Agent{}, false
}

// enter waits for the turn of a stranger's text: counting its matches, as Eliza's answer wants, opens every content of a log on all
// cores, so strangers have one such search at a time between them.
func (s *routes) enter(ctx context.Context, strangersText bool) (leave func(), ok bool) {
	if !strangersText {
		return func() {}, true
	}
	select {
	case s.searching <- struct{}{}:
		return func() { <-s.searching }, true
	case <-ctx.Done():
		return nil, false
	}
}

// Viewer is who asks: the holder of the token, or of a room's secret.
func Viewer(token access.Token, r *http.Request, room string) actionlog.Viewer {
	v := actionlog.Viewer{Owner: token.Authorized(r)}
	if secret, err := hex.DecodeString(r.Header.Get("Teapot-Room-Secret")); err == nil && len(secret) > 0 && room != "" {
		v.Rooms = []actionlog.RoomPass{{Room: room, Secret: secret}}
	}
	return v
}

// body reads a body within its limit; ok is false when it was answered.
func (s *routes) body(w http.ResponseWriter, r *http.Request) (body []byte, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.MaxBody))
	if err == nil {
		return body, true
	}
	status := http.StatusBadRequest
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		status = http.StatusRequestEntityTooLarge
	}
	express.Fail(w, status, "the body is too large or broke off")
	return nil, false
}
