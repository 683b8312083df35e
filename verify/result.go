package verify

import (
	"errors"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
)

// ResultType names the JSON form (docs/verdict.schema.json).
const ResultType = "teapot/result/v1"

// Kind of a target, recognised by content, never by name.
type Kind string

// Kinds.
const (
	KindURL     Kind = "url"
	KindBundle  Kind = "bundle"
	KindReceipt Kind = "receipt"
	KindQuote   Kind = "quote"
	KindFork    Kind = "fork"
	KindPeer    Kind = "peer" // the other end of a connection, without its log (package ratls)
)

// Result is a verdict with its reasons. Checks are in the fixed order of the chain; each stands for itself.
type Result struct {
	Type      string            `json:"type"`
	Tier      appraisal.Tier    `json:"tier"`
	Headline  string            `json:"headline"` // one sentence, says SIMULATED first when it is
	Exit      int               `json:"exit"`     // 0 the policy is met, 1 not met, 2 could not judge
	Target    string            `json:"target"`
	Kind      Kind              `json:"kind"`
	JudgedAt  time.Time         `json:"judged_at"` // the time the reader's machine gave
	Platform  string            `json:"platform,omitempty"`
	Simulated bool              `json:"simulated"` // the root of the chain is not the pinned Intel root
	Checks    []appraisal.Check `json:"checks"`
	Waived    []string          `json:"waived,omitempty"` // ids that did not pass and were waived by name or by --allow-simulated
	Agents    []AgentResult     `json:"agents"`
	NotProven string            `json:"not_proven"` // what a green result does not prove

	Remember []Seen   `json:"-"` // what the reader may remember now; empty unless every check passed
	Forks    [][]byte `json:"-"` // fork evidence to keep, whatever the verdict
}

// AgentResult is what was learnt about one agent. Its words are the attested ones.
type AgentResult struct {
	ID        string         `json:"id"`
	Name      string         `json:"name,omitempty"` // the server's word; shown, never judged
	Origin    string         `json:"origin"`
	LogKey    string         `json:"log_key"` // hex Ed25519
	Size      uint64         `json:"size"`    // of the checkpoint judged
	Root      string         `json:"root"`    // base64
	Starts    uint64         `json:"starts"`
	Verified  uint64         `json:"verified"`           // entries whose signature and place were checked now
	Scope     string         `json:"scope"`              // "whole log", "since 120", "entries 5..9", "receipt"
	Erased    map[string]int `json:"erased,omitempty"`   // by requester
	Withheld  uint64         `json:"withheld,omitempty"` // contents not shown and not erased
	Character string         `json:"character_sha256,omitempty"`
	Wallets   []Wallet       `json:"wallets,omitempty"`
}

// Wallet is an address that the boot statement says is the agent's.
type Wallet struct {
	Chain   string `json:"chain"`
	Address string `json:"address"`
	Shared  bool   `json:"shared,omitempty"` // other processes in the guest can use it
}

// ErrNotMet is what Err returns when the policy in force is not met.
var ErrNotMet = errors.New("verify: the policy is not met")

// Err is nil only when the policy in force is met, so ignoring the list of checks still fails closed.
func (r Result) Err() error {
	if r.Exit == 0 && (r.Tier == appraisal.Affirming || r.Tier == appraisal.Warned) {
		return nil
	}
	return ErrNotMet
}

// Find returns the first check with this id, or a NotChecked one.
func (r Result) Find(id string) appraisal.Check {
	for _, c := range r.Checks {
		if c.ID == id {
			return c
		}
	}
	return appraisal.Check{ID: id}
}

// Contradicts says whether the result contradicts what this machine saw before.
func (r Result) Contradicts() bool {
	for _, c := range r.Checks {
		if c.ID == "rollback.memory" && c.Outcome == appraisal.Failed {
			return true
		}
	}
	return false
}

// Unjudged is the Result for a target that could not be judged: tier none, exit 2, the error as headline.
func Unjudged(target string, err error, at time.Time) Result {
	return Result{
		Type: ResultType, Headline: "NOT JUDGED: " + err.Error(), Exit: 2, Target: target, JudgedAt: at.UTC().Truncate(time.Second),
		Checks: []appraisal.Check{}, Agents: []AgentResult{}, NotProven: "anything: the target could not be judged.",
	}
}
