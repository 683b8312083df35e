// Package model is the seam to language models: one request, one answer, and the exact bytes of both for the log.
// An answer is foreign input whatever the provider; what this package vouches for is only what it sent and received.
package model

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Class is Eliza's model size.
type Class uint8

// The zero Class is Small, the cheapest.
const (
	Small Class = iota
	Medium
	Large
)

func (c Class) String() string { return [...]string{"small", "medium", "large"}[c] }

// Task tells the embedded model what a prompt asks; providers on the wire read the prompt instead.
type Task uint8

// Chat asks for a reply in Eliza's JSON form, YesNo for one word, List for a JSON array.
const (
	Chat Task = iota
	YesNo
	List
)

// Turn is what a prompt is about, as data.
type Turn struct {
	Task    Task
	Agent   string   // the character's name
	Text    string   // what was said last
	History []string // what the same person said before, oldest first
	Actions []string // names of the actions that may be chosen
}

// Request is one call.
type Request struct {
	Class     Class
	System    string // system message; "" = none
	Prompt    string // the whole user message, as Eliza sends it
	Turn      Turn
	MaxTokens int               // 0 = the model's own maximum
	Stream    func(text string) // receives the answer as it comes; nil = at once
}

// TLS is the identity that a provider proved on the connection that carried the answer.
type TLS struct {
	Version    string `json:"version"`
	Cipher     string `json:"cipher"`
	ServerName string `json:"server_name"`
	LeafSHA256 string `json:"leaf_sha256"` // hex, of the DER certificate
	SPKISHA256 string `json:"spki_sha256"` // hex, of its public key
	Issuer     string `json:"issuer"`
}

// Signature is a provider's own signature over an exchange (confidential inference).
type Signature struct {
	Algorithm string `json:"algorithm"` // "ecdsa" or "ed25519"
	Signer    string `json:"signer"`    // address or hex key that the signature was checked against
	Signature string `json:"signature"`
	Text      string `json:"text"` // what was signed: hex SHA-256 of request ":" hex SHA-256 of response
	Verified  bool   `json:"verified"`
	Detail    string `json:"detail"`
}

// Usage counts tokens. Cost is in millionths of a US dollar, from the price table; -1 when the price is unknown.
type Usage struct {
	Prompt     int   `json:"prompt_tokens"`
	Completion int   `json:"completion_tokens"`
	Cost       int64 `json:"cost_microusd"`
}

// Exchange is what went over the wire: the last attempt's exact bytes.
type Exchange struct {
	Provider, Endpoint, Model string
	Request, Response         []byte
	Status                    int // HTTP; 0 = no answer, or no wire
	TLS                       *TLS
	Signature                 *Signature
	Usage                     Usage
	Attempts                  int
	Took                      time.Duration
	Truncated                 bool // the answer was longer than the limit; Response holds its beginning
}

// Response is an answer with its exchange. On an error the exchange says how far the call came.
type Response struct {
	Text string
	Exchange
}

// Model answers requests. It is safe for concurrent use.
type Model interface {
	Complete(ctx context.Context, r Request) (Response, error)
}

// Embedder turns texts into vectors of Dimensions numbers. It is safe for concurrent use.
type Embedder interface {
	Embed(ctx context.Context, texts []string) ([][]float32, error)
	Dimensions() int
	Name() string // part of what makes two vectors comparable
}

// ErrEmpty is an answer without text.
var ErrEmpty = errors.New("the model answered nothing")

// ErrUnconfigured is a model that lacks its key or endpoint; wrapped with what to set.
var ErrUnconfigured = errors.New("no model is configured")

// StatusError is an HTTP answer other than 2xx.
type StatusError struct {
	Status int
	Body   string // at most 512 bytes of it
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("the model answered HTTP %d: %.512s", e.Status, e.Body)
}
