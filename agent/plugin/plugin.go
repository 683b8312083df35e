// Package plugin has Eliza's nouns as Go types: a plugin is a value of Plugin, one small file. Plugins are compiled in and
// measured: they are trusted code, and still get keys, HTTP, models and secrets only through Runtime, the gate, which
// records what they do. A test forbids them net, os, os/exec, syscall and unsafe.
package plugin

import (
	"context"
	"encoding/json"
	"time"
)

// Message is something that was said.
type Message struct {
	ID          string // memory id, a UUID
	Agent       string // UUID of the agent it was said to
	Room, User  string // UUIDs
	UserName    string
	Text        string
	Action      string
	Attachments []Attachment
	At          time.Time
	Index       uint64 // of its log entry
	Ordinal     uint64 // counts the messages of its room since they were last read from disk, from 1
	FromAgent   bool   // the agent itself said it
	Authorised  bool   // the one who said it holds the server's token
}

// Attachment is a file that came with a message. Its content went to the log, not to a path of the server.
type Attachment struct {
	ID          string `json:"id"`
	URL         string `json:"url"`
	Title       string `json:"title"`
	Source      string `json:"source"`
	Description string `json:"description"`
	Text        string `json:"text"`
	ContentType string `json:"contentType,omitempty"`
}

// State holds the texts that templates name: {{agentName}}, {{recentMessages}} and so on.
type State map[string]string

// Content is one element of an answer, in Eliza's form.
type Content struct {
	User        string       `json:"user,omitempty"`
	Text        string       `json:"text"`
	Action      string       `json:"action,omitempty"`
	Source      string       `json:"source,omitempty"`
	URL         string       `json:"url,omitempty"`
	InReplyTo   string       `json:"inReplyTo,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"`
}

// Call is everything a handler is given.
type Call struct {
	Runtime Runtime
	Message Message
	State   State
	Answer  Content         // what the model said
	Options json.RawMessage // the whole object that the model answered; null if it had none
	Reply   func(Content)   // says something more; the last call counts
}

// Example is one line of a conversation that shows when an action fits. {{user1}} becomes a name.
type Example struct{ User, Text, Action string }

// Action is something the agent can do. The model chooses it by Name or one of Similes.
type Action struct {
	Name        string
	Similes     []string
	Description string
	Examples    [][]Example
	Validate    func(ctx context.Context, c Call) bool // nil = always
	Handler     func(ctx context.Context, c Call) error
	// SuppressInitialMessage drops the model's own text: the handler says it all.
	SuppressInitialMessage bool
	// Silent actions have no effect outside the conversation, so they leave no intent and result.
	Silent bool
}

// Provider adds a paragraph to the prompt.
type Provider struct {
	Name string
	Get  func(ctx context.Context, c Call) (string, error)
}

// Evaluator looks at a conversation after the answer.
type Evaluator struct {
	Name, Description string
	Similes           []string
	AlwaysRun         bool // also when the agent said nothing
	Validate          func(ctx context.Context, c Call) bool
	Handler           func(ctx context.Context, c Call) error
}

// Service lives as long as the agent.
type Service interface {
	ServiceType() string
	Start(ctx context.Context, r Runtime) error
	Stop(ctx context.Context) error
}

// Plugin is a set of them.
type Plugin struct {
	Name, Description string
	Actions           []Action
	Providers         []Provider
	Evaluators        []Evaluator
	Services          []Service
}
