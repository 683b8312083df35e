package verify

import (
	"encoding/json"
	"io"

	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/tlog"
)

// Input is what a reader has in hand. Everything in it but Seen, Nonce and Channel came from others and is judged.
type Input struct {
	Target string // as the reader named it
	Kind   Kind

	// Of a URL.
	Loopback bool              // the address is this machine: there is no network to protect
	Secure   bool              // https
	Nonce    []byte            // the reader's own, sent with POST /v1/session
	Channel  *evidence.Channel // what the reader's end of the connection saw; nil: nothing to bind to
	Session  []byte            // Evidence document of the session statement
	Boot     []byte            // Evidence document of the newest boot statement
	Logs     []Log             // one per agent, in any order
	Only     []string          // the agents that the reader asked for; empty: all that the boot statement lists

	// Of a file.
	File []byte    // receipt, quote, evidence or fork document
	Log  io.Reader // bundle

	// Seen is what this machine remembers of these targets and origins.
	Seen []Seen
	// Collateral fetches what judges a quote when the evidence brings none or only old; nil fetches nothing.
	Collateral func(quote []byte) (json.RawMessage, error)
	// Verifier keeps what it verified between calls; nil makes a new one.
	Verifier *dcap.Verifier
	// Workers bounds the goroutines that verify signatures; 0: one per processor.
	Workers int
	// Progress is told how far a log is; nil tells nobody.
	Progress func(agent string, done, total uint64)

	// Entry is shown every entry that is walked, before its signature is checked; nil shows nobody. It must keep nothing.
	Entry func(l *tlog.Leaf, item *tlog.Item)
	// Audited is given the audit of each log when it is done; nil is given nothing.
	Audited func(part *evidence.AgentPart, report *tlog.AuditReport)

	// testingRoot makes the tests of this package able to reach the affirming tier under a root of their own.
	testingRoot [32]byte
}

// Log is one agent's bundle as a stream, and what proves that it continues what was seen.
type Log struct {
	Agent  string
	Bundle io.Reader
	// What was asked for. An answer from a URL is judged by this, never by what its header says was asked.
	From, To uint64 // indices [From, To); 0 and 0 is the whole log
	Type     string // empty is all
	Contents bool   // with contents: public ones must not be missing
	// Proof asks the server for the consistency proof between two sizes (RFC 9162 section 2.1.4); nil: cannot ask.
	Proof func(from, to uint64) ([][]byte, error)
}
