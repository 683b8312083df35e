// Package record is the little that the agent needs of the action log: append, look up, prove. It is the seam to package
// actionlog; the agent trusts it to answer only what is in the log.
package record

import (
	"context"
	"fmt"

	"github.com/teapot-tee/teapot/actionlog"
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
)

// Media types of contents.
const (
	Text = "text/plain; charset=utf-8"
	JSON = "application/json"
)

// Log is one agent's log; *actionlog.Log is one. It is safe for concurrent use.
type Log interface {
	// Append returns when the entries are durable, under a signed checkpoint, and provable.
	Append(ctx context.Context, e ...actionlog.Entry) ([]actionlog.Proof, error)
	// Entry returns one entry, checked against the tree, with its content.
	Entry(ctx context.Context, index uint64) (actionlog.Item, error)
	// InclusionProof returns the sibling hashes of an entry in the tree of an acknowledged size.
	InclusionProof(index, size uint64) ([]tlog.Hash, error)
	// Size is the number of acknowledged entries.
	Size() uint64
	// Query returns the entries that match.
	Query(ctx context.Context, q actionlog.Query) (actionlog.Page, error)
	// RoomSecret opens a whole conversation; it is given out with a room's first message only.
	RoomSecret(room string) []byte
	// HoldsRoom says whether a viewer proved to hold a room's secret.
	HoldsRoom(v actionlog.Viewer, room string) bool
	// Subscribe sends each new entry until the context ends.
	Subscribe(ctx context.Context) <-chan actionlog.Proof
	// Origin names the log.
	Origin() string
}

// Receipt proves a message and its reply under the reply's checkpoint: JSON of at most 4 KiB. The zero Proof leaves one out.
func Receipt(l Log, message, reply actionlog.Proof) ([]byte, error) {
	newest := reply
	if reply.Checkpoint == nil {
		newest = message
	}
	note, err := tlog.ParseCheckpoint(newest.Checkpoint)
	if err != nil {
		return nil, fmt.Errorf("making the receipt: %w", err)
	}
	var rows []tlog.Recorded
	for _, p := range []actionlog.Proof{message, reply} {
		if p.Leaf == nil {
			continue
		}
		path, err := l.InclusionProof(p.Index, note.Size)
		if err != nil {
			return nil, fmt.Errorf("making the receipt: %w", err)
		}
		rows = append(rows, tlog.Recorded{Index: p.Index, Leaf: p.Leaf, Path: path, Addendum: p.Addendum})
	}
	r, err := tlog.NewReceipt(newest.Checkpoint, rows...)
	if err != nil {
		return nil, fmt.Errorf("making the receipt: %w", err)
	}
	return r.Marshal()
}
