package ratls

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/teapot-tee/teapot/evidence"
)

// Prover makes the Evidence document of a session statement: digest of the newest boot statement, the caller's nonce, the
// channel, the latest checkpoints, and a fresh quote over it. boot.Process does.
type Prover interface {
	Session(ctx context.Context, nonce []byte, channel evidence.Channel) (document []byte, err error)
}

// SessionHandler answers POST /v1/session {"nonce": hex of 16 to 64 bytes, "channel": "tls", "hpke" or "none"}.
//
// The channel is computed here from the connection and never taken from the caller. Quotes are expensive, so all callers
// share one budget and one quote is made at a time.
type SessionHandler struct {
	Prover Prover
	// Leaf returns the leaf certificate (DER) that was shown on a connection; nil means that TLS ends elsewhere.
	Leaf func(*tls.ConnectionState) []byte
	// Budget is shared by all quote-producing routes; nil means DefaultBudget's numbers, for this handler alone.
	Budget *Budget

	once   sync.Once
	single sync.Mutex
}

const maxSessionBody = 4 << 10

// ServeHTTP implements http.Handler.
func (h *SessionHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.once.Do(func() {
		if h.Budget == nil {
			h.Budget = DefaultBudget()
		}
	})
	nonce, kind, err := readSessionRequest(r)
	if err != nil {
		problem(w, http.StatusBadRequest, "bad session request", err.Error(), `send {"nonce":"<32 to 128 hex digits>","channel":"tls"}`)
		return
	}
	channel, err := h.channel(r, kind, nonce)
	if err != nil {
		problem(w, http.StatusConflict, "no such channel here", err.Error(), `ask for channel "none", or connect to the agent itself; sealed bodies (EHBP) give channel "hpke"`)
		return
	}
	if wait := h.Budget.Take(time.Now()); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		problem(w, http.StatusTooManyRequests, "too many quotes", "quotes are expensive and the shared budget is used up", "wait as Retry-After says, then ask again")
		return
	}
	h.single.Lock()
	document, err := h.Prover.Session(r.Context(), nonce, channel)
	h.single.Unlock()
	if err != nil {
		problem(w, http.StatusServiceUnavailable, "no session evidence", err.Error(), "try again; if it stays, ask the operator to look at the platform")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(document) // the caller went away: nobody to tell
}

func (h *SessionHandler) channel(r *http.Request, kind string, nonce []byte) (evidence.Channel, error) {
	switch kind {
	case evidence.ChannelNone:
		return evidence.Channel{Kind: evidence.ChannelNone}, nil
	case evidence.ChannelHPKE:
		if c, ok := SealedChannel(r.Context()); ok {
			return c, nil
		}
		return evidence.Channel{}, errors.New("the request body was not sealed to this agent's HPKE key")
	case evidence.ChannelTLS:
		var leaf []byte
		if h.Leaf != nil {
			leaf = h.Leaf(r.TLS)
		}
		if leaf == nil {
			return evidence.Channel{}, errors.New("this server does not end TLS itself")
		}
		return TLSChannel(r.TLS, leaf, nonce)
	default:
		return evidence.Channel{}, errors.New(`unknown channel: want "tls", "hpke" or "none"`)
	}
}

func readSessionRequest(r *http.Request) (nonce []byte, channel string, err error) {
	var req struct {
		Nonce   string `json:"nonce"`
		Channel string `json:"channel"`
	}
	dec := json.NewDecoder(io.LimitReader(r.Body, maxSessionBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&req); err != nil {
		return nil, "", errors.New("the body is not the JSON expected here")
	}
	if nonce, err = hex.DecodeString(req.Nonce); err != nil || len(nonce) < 16 || len(nonce) > 64 {
		return nil, "", errors.New("the nonce must be 16 to 64 bytes in hex")
	}
	if req.Channel == "" {
		req.Channel = evidence.ChannelNone
	}
	return nonce, req.Channel, nil
}

// problem writes an RFC 9457 problem with Teapot's members cause and next.
func problem(w http.ResponseWriter, status int, title, cause, next string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the caller went away: nobody to tell
		"type": "about:blank", "status": status, "title": title, "detail": cause, "cause": cause, "next": next,
	})
}
