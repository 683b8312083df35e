// Package wallet serves an agent's wallets: who they are and what is wrong with them, and signatures over messages for the
// operator. Every signature passes the gate: a durable intent, the rules, the result.
//
// It trusts the token (package access) for who is the operator and the log for durability. It signs text for people and
// nothing else: a message that could be a transaction is refused, so no signature from here moves money; transfers go
// through the agent's own gate and the spending policy of the boot statement.
package wallet

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/teapot-tee/teapot/keys/wallets"
	"github.com/teapot-tee/teapot/server/access"
	"github.com/teapot-tee/teapot/server/problem"
)

// Owner is an agent with its opened wallets and the log that its signatures go to.
type Owner struct {
	Wallets []*wallets.Wallet
	Log     Log
}

// Routes serves GET /v1/agents/{agent}/wallets and POST /v1/agents/{agent}/wallets/sign.
type Routes struct {
	Agent func(id string) (Owner, bool)
	Token access.Token // who may sign
}

// Line is a wallet as the route shows it.
type Line struct {
	Chain      string   `json:"chain"`
	Address    string   `json:"address"`
	Derivation string   `json:"derivation"`
	Shared     bool     `json:"shared"`
	Warnings   []string `json:"warnings"`
	KeyChain   []string `json:"key_chain"` // the platform's signatures over the public key, hex
}

// Request asks for a signature.
type Request struct {
	Chain   string `json:"chain"`
	Message string `json:"message"`
}

// Signature is the answer. Ed25519: 64 bytes; EVM: r, s, v of EIP-191, 65 bytes. Intent and Result are the log's entries.
type Signature struct {
	Agent     string `json:"agent"`
	Chain     string `json:"chain"`
	Address   string `json:"address"`
	Scheme    string `json:"scheme"`    // "ed25519" or "eip191"
	Signature string `json:"signature"` // 0x and hex
	Intent    uint64 `json:"intent"`
	Result    uint64 `json:"result"`
}

// maxBody bounds a request; maxMessage, in bytes, what is signed.
const (
	maxBody    = 64 << 10
	maxMessage = 16 << 10
)

// Register adds the routes.
func (s Routes) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/agents/{agent}/wallets", s.list)
	mux.HandleFunc("POST /v1/agents/{agent}/wallets/sign", s.sign)
}

func (s Routes) owner(w http.ResponseWriter, r *http.Request) (Owner, bool) {
	o, ok := s.Agent(r.PathValue("agent"))
	if !ok {
		problem.Write(w, http.StatusNotFound, "no such agent", "no agent with this id runs here", "GET /v1/ lists the agents")
	}
	return o, ok
}

func (s Routes) list(w http.ResponseWriter, r *http.Request) {
	o, ok := s.owner(w, r)
	if !ok {
		return
	}
	lines := []Line{}
	for _, wallet := range o.Wallets {
		lines = append(lines, LineOf(wallet))
	}
	write(w, map[string]any{"agent": r.PathValue("agent"), "wallets": lines})
}

// LineOf shows a wallet.
func LineOf(w *wallets.Wallet) Line {
	l := Line{w.Chain, w.Address, w.Derivation, w.Shared, append([]string{}, w.Warnings...), []string{}}
	if w.Claim == nil {
		return l
	}
	for _, link := range w.Claim.Chain {
		l.KeyChain = append(l.KeyChain, hex.EncodeToString(link))
	}
	return l
}

func (s Routes) sign(w http.ResponseWriter, r *http.Request) {
	if !s.Token.MayAct(r) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		problem.Write(w, http.StatusUnauthorized, "not authorized", "signing needs the operator's token", "send Authorization: Bearer with the token from the data directory, or use the unix socket")
		return
	}
	o, ok := s.owner(w, r)
	if !ok {
		return
	}
	var q Request
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&q); err != nil {
		problem.Write(w, http.StatusBadRequest, "not a signing request", err.Error(), `send {"chain":"evm","message":"text"}`)
		return
	}
	signed, err := o.Sign(r.Context(), q)
	if err != nil {
		refuse(w, err)
		return
	}
	signed.Agent = r.PathValue("agent")
	write(w, signed)
}

func write(w http.ResponseWriter, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		problem.Write(w, http.StatusInternalServerError, "no answer", fmt.Sprintf("writing the answer: %v", err), "report this")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(raw)))
	_, _ = w.Write(raw) // the client is gone; nothing to tell it
}
