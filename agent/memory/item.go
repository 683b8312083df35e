// Package memory is the agent's memory: what was said in a room, facts, goals, knowledge. It is a projection of the action
// log in an encrypted SQLite file that may be deleted and is then rebuilt. The file is not trusted: file encryption does not
// authenticate, so a row read from disk is checked against the commitment of its log entry before anybody sees it, and
// vectors are sealed. What the host can still do is to withhold rows; Open counts them.
package memory

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/record"
	"github.com/teapot-tee/teapot/tlog"
)

// Item is one memory: a log entry that the agent remembers.
type Item struct {
	Index uint64 // of the log entry
	Type  string // of the log entry: "message", "reply", "memory", "room", "knowledge"
	Room  string // UUID
	User  string // UUID; the agent's own for what it said
	At    time.Time
	Said  tlog.Speaker // how User was established
	Body
	Vector []float32 // nil = none yet
}

// Body is the JSON that such an entry commits to.
type Body struct {
	Text        string              `json:"text"`
	Name        string              `json:"name,omitempty"`   // of the one who spoke, as claimed
	Action      string              `json:"action,omitempty"` // that the agent chose
	Source      string              `json:"source,omitempty"`
	InReplyTo   string              `json:"inReplyTo,omitempty"`
	Attachments []plugin.Attachment `json:"attachments,omitempty"`
	Kind        string              `json:"kind,omitempty"` // of a memory: "facts", "goals"
	State       *plugin.RoomState   `json:"state,omitempty"`
	Shared      bool                `json:"shared,omitempty"`
}

// Encode returns the exact bytes to commit to and their media type: plain text where the text is all there is to say.
// Name, action and reply reference are then left to the log's graph and to the process.
func (b Body) Encode() (content []byte, mediaType string, err error) {
	if len(b.Attachments) == 0 && b.Kind == "" && b.State == nil && !b.Shared && utf8.ValidString(b.Text) {
		return []byte(b.Text), record.Text, nil
	}
	content, err = json.Marshal(b)
	return content, record.JSON, err
}

// open makes an item of an addendum after checking it against its leaf.
func open(leaf *tlog.Leaf, addendum []byte) (Item, error) {
	d, err := tlog.OpenAddendum(leaf.Content, addendum)
	if err != nil {
		return Item{}, err
	}
	i := Item{Index: leaf.Index, Type: leaf.Type, Room: d.Room, User: d.User, At: time.UnixMicro(int64(leaf.Time)), Said: leaf.Speaker}
	i.Body, err = Decode(leaf.Content.MediaType, d.Content)
	return i, err
}

// Decode reads a content: plain text, or a Body.
func Decode(mediaType string, content []byte) (b Body, err error) {
	if mediaType == record.Text {
		return Body{Text: string(content)}, nil
	}
	if err := json.Unmarshal(content, &b); err != nil {
		return b, fmt.Errorf("a memory's content: %w", err)
	}
	return b, nil
}

// ErrClosed is returned after Close.
var ErrClosed = errors.New("the memory is closed")

// ErrTampered is a row that is not what its log entry commits to.
var ErrTampered = errors.New("a memory is not what the log says")
