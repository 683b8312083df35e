package verify

import (
	"encoding/json"
	"time"
)

// SeenType names what a reader remembers of a log, as a file of the client's memory.
const SeenType = "teapot/seen/v1"

// Seen is what this reader saw of one log when all its checks passed. It is the reader's own word, kept on the
// reader's disk; a server that contradicts it has changed, forked or rolled back.
type Seen struct {
	Type       string          `json:"type"`
	Target     string          `json:"target"`           // address it was seen at; empty for files
	Agent      string          `json:"agent"`            // UUID
	Origin     string          `json:"origin"`           //
	LogKey     string          `json:"log_key"`          // hex Ed25519
	TrustRoot  string          `json:"trust_root"`       // hex SHA-256 of the chain's root certificate
	Simulated  bool            `json:"simulated"`        // the root was not the CPU maker's
	Platform   string          `json:"platform"`         //
	Checkpoint []byte          `json:"checkpoint"`       // the newest signed note
	State      json.RawMessage `json:"state,omitempty"`  // the auditor's, to go on from there
	Policy     string          `json:"policy,omitempty"` // Digest of the policy that accepted it; without it nothing is taken over from then
	At         time.Time       `json:"at"`
	Looks      int             `json:"looks"` // verdicts that went into it
}
