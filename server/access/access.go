// Package access decides who may change state: the holder of the bearer token printed at start, or a peer on the unix socket.
//
// It trusts the token's secrecy and the kernel's word about a unix peer; it never trusts an address or a header other than
// Authorization. Anybody may talk to an agent; nobody without the token changes its settings, keys, policy or rooms.
package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
)

// Token is the operator's bearer token. The zero value admits nobody.
type Token struct {
	digest [32]byte
	set    bool
}

// NewToken makes a Token from its text; an empty text admits nobody.
func NewToken(text string) Token {
	if text == "" {
		return Token{}
	}
	return Token{digest: sha256.Sum256([]byte(text)), set: true}
}

// Generate returns a fresh token text of 32 random bytes in hex.
func Generate() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// Admits says whether text is the token, in constant time.
func (t Token) Admits(text string) bool {
	d := sha256.Sum256([]byte(text))
	return t.set && subtle.ConstantTimeCompare(d[:], t.digest[:]) == 1
}

// Authorized says whether the request carries the token as "Authorization: Bearer …" or came over the trusted unix socket.
func (t Token) Authorized(r *http.Request) bool {
	if local, ok := r.Context().Value(unixPeer{}).(bool); ok && local {
		return true
	}
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && t.Admits(strings.TrimSpace(text))
}

// MayAct says whether the request may do what the agent itself does: append entries and have texts signed. The operator may, and so
// may the agent beside, on its socket; erasing, stopping, changing and reading what belongs to the owner stay the operator's.
func (t Token) MayAct(r *http.Request) bool {
	agent, ok := r.Context().Value(agentPeer{}).(bool)
	return ok && agent || t.Authorized(r)
}

type (
	unixPeer  struct{}
	agentPeer struct{}
)

// WithAgentPeer marks a connection as the socket of the agent beside (http.Server.ConnContext): whoever reaches it is the agent.
func WithAgentPeer(ctx context.Context) context.Context {
	return context.WithValue(ctx, agentPeer{}, true)
}

// WithUnixPeer marks a connection as the trusted unix socket (http.Server.ConnContext).
func WithUnixPeer(ctx context.Context) context.Context {
	return context.WithValue(ctx, unixPeer{}, true)
}
