// Package record is the little that the agent needs of the action log: append, look up, prove. It is the seam to package
// actionlog; the agent trusts it to answer only what is in the log.
package record

import (
	"context"

	"github.com/teapot-tee/teapot/tlog"
)

// Types of the entries that the runtime writes, besides tlog's intent and result.
const (
	Message   = "message"   // somebody said something to the agent
	Model     = "model"     // a call of a language model, exact bytes hashed
	Reply     = "reply"     // what the agent answered
	Memory    = "memory"    // something the agent took into its memory
	Room      = "room"      // how the agent takes part in a room
	Knowledge = "knowledge" // a document that the agent was given
	Notice    = "notice"    // something went wrong and was handled
)

// Entry is what is appended.
type Entry struct {
	Type       string
	Room, User string
	Speaker    tlog.Speaker
	Source     tlog.Source
	MediaType  string
	Content    []byte
	Cause      []uint64
	Visibility tlog.Visibility
}

// Proof says that an entry is in the log: Path leads from LeafHash at Index to the root in Checkpoint.
type Proof struct {
	Index      uint64
	Leaf       []byte
	Addendum   []byte // 32 random bytes ‖ disclosed part
	LeafHash   tlog.Hash
	Path       []tlog.Hash
	Checkpoint []byte
}

// Log is one agent's log. It is safe for concurrent use.
type Log interface {
	// Append returns when the entries are durable, under a signed checkpoint, and provable.
	Append(ctx context.Context, e ...Entry) ([]Proof, error)
	// Receipt proves a message and its reply under one checkpoint, as JSON of at most 4 KiB.
	Receipt(ctx context.Context, message, reply Proof) ([]byte, error)
	// Leaf returns an entry's leaf, checked against the tree.
	Leaf(ctx context.Context, index uint64) (*tlog.Leaf, error)
}
