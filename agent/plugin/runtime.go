package plugin

import (
	"context"
	"errors"
	"math/big"
	"time"
)

// Runtime is the gate: the only way from a plugin to the world. What passes it is on the record, with its cause.
type Runtime interface {
	AgentID() string
	AgentName() string
	Now() time.Time
	Setting(key string) string // settings that are no secrets; "" if there is none

	// Ask calls the model. The exact bytes of the exchange are hashed into the log.
	Ask(ctx context.Context, q Question) (string, error)
	// Do logs an intent (durable), acts, and logs the result. The act never runs if the intent could not be logged.
	Do(ctx context.Context, i Intent, act func(ctx context.Context) (result any, err error)) error
	// Fetch makes one HTTP request to a host that the configuration allows, as an intent with a result. The value of
	// a header may be "secret:NAME"; the secret goes to that host only if the configuration says so.
	Fetch(ctx context.Context, r Request) (Response, error)

	Remember(ctx context.Context, m Memory) error
	Recall(ctx context.Context, q Query) ([]Memory, error)
	Recent(ctx context.Context, room string, n int) ([]Message, error)

	Room(room string) RoomState
	SetRoom(ctx context.Context, room string, s RoomState) error

	Wallets() []Wallet
	Balance(ctx context.Context, chain string) (Amount, error)
	Transfer(ctx context.Context, t Transfer) (id string, err error)
	// Evidence names the evidence of this start: its quote vouches for the wallets.
	Evidence(ctx context.Context) (Evidence, error)
	// Attest makes a fresh quote over text and says where its evidence is.
	Attest(ctx context.Context, text string) (Evidence, error)
}

// ErrNotConfigured is returned by parts of the gate that this agent was started without.
var ErrNotConfigured = errors.New("not configured")

// Question is a prompt of a plugin's own.
type Question struct {
	System, Prompt string
	About          string // what was said last, for the embedded model
	Size           Size
	Answer         Form
}

// Size is Eliza's model class.
type Size uint8

// Small is the cheapest and the zero value.
const (
	Small Size = iota
	Medium
	Large
)

// Form is the shape of answer that a prompt asks for.
type Form uint8

// Text is free, YesNo one word, List a JSON array.
const (
	Text Form = iota
	YesNo
	List
)

// Intent says what is about to happen. It must not hold secrets: it is recorded and cannot be erased.
type Intent struct {
	Name   string // an action's name, or what a service does
	Detail any    // JSON
	Public bool   // anybody may read it
}

// Request is an HTTP request through the gate.
type Request struct {
	Method, URL string
	Header      map[string]string
	Body        []byte
	Limit       int // bytes of the answer; 0 = 1 MiB
}

// Response is its answer.
type Response struct {
	Status int
	Body   []byte
}

// Memory is something the agent knows.
type Memory struct {
	Kind       string // "facts", "goals", "knowledge"
	Room, Text string
	Source     string // for knowledge: the document it comes from
	At         time.Time
	Index      uint64  // of its log entry
	Score      float64 // of a search: 1 is the same
}

// Query searches memories by meaning.
type Query struct {
	Kind, Room, Text string
	Limit            int
	Threshold        float64 // least score
}

// RoomState is how the agent takes part in a room.
type RoomState struct {
	Muted    bool `json:"muted"`
	Followed bool `json:"followed"`
}

// Wallet is an address whose key lives in the TEE.
type Wallet struct {
	Chain   string `json:"chain"` // "solana" or "evm"
	Address string `json:"address"`
}

// Amount is money in a chain's smallest unit.
type Amount struct {
	Chain    string
	Units    *big.Int // lamports or wei
	Decimals int      // 9 or 18
	Symbol   string
}

// Transfer is a wish to send money. The spending policy decides.
type Transfer struct {
	Chain, To string
	Units     *big.Int
}

// Evidence points at an Evidence document of this server.
type Evidence struct {
	Digest string // hex SHA-256
	URL    string // path or URL: /v1/evidence/<digest>
}
