package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/teapot-tee/teapot/internal/strictjson"
)

// DocumentType is the type of the Evidence document.
const DocumentType = "teapot/evidence/v1"

// maxDocument bounds an Evidence document: statement, parts, quote, logs and collateral.
const maxDocument = 64 << 20

// Evidence carries one statement with the quote over it and what a reader needs to judge both offline.
// []byte members are base64 in JSON. Nothing in it is believed: every member is checked against the quote or the statement.
type Evidence struct {
	Type       string          `json:"type"`                  // DocumentType
	Platform   string          `json:"platform"`              // one of Platforms; the quote decides
	Statement  []byte          `json:"statement"`             // exact bytes
	Quote      []byte          `json:"quote"`                 // as the hardware made it
	EventLog   json.RawMessage `json:"event_log,omitempty"`   // dstack's JSON array
	CCEL       []byte          `json:"ccel,omitempty"`        // TCG2 event log of a plain TDX guest
	AppCompose []byte          `json:"app_compose,omitempty"` // exact bytes
	Parts      [][]byte        `json:"parts,omitempty"`       // exact agent parts whose SHA-256 the boot statement lists, in its order
	KeyChain   []KeyClaim      `json:"key_chain,omitempty"`   // signatures by which the platform vouches for derived keys
	Collateral json.RawMessage `json:"collateral,omitempty"`  // dcap-qvl JSON
}

// KeyClaim is a platform's signature chain for one derived key (dstack GetKey, v0 or v1).
type KeyClaim struct {
	Use       string  `json:"use"`       // what Teapot uses it for: log, storage, wallet
	API       string  `json:"api"`       // "dstack/v0", "dstack/v1"
	Path      string  `json:"path"`      // path or domain
	Purpose   string  `json:"purpose"`   // v0 only
	Algorithm string  `json:"algorithm"` // secp256k1, ed25519
	PublicKey Bytes   `json:"public_key"`
	Chain     []Bytes `json:"chain"` // app root over the key, then KMS root over the app root
}

// ID is the name of an evidence document: the SHA-256 of the statement it carries.
func (e *Evidence) ID() Digest { return Sum(e.Statement) }

// ParseEvidence reads an Evidence document. Members must be known and single; whatever else it says is for the verifier.
func ParseEvidence(raw []byte) (*Evidence, error) {
	if len(raw) > maxDocument {
		return nil, fmt.Errorf("reading evidence: %d bytes, more than %d", len(raw), maxDocument)
	}
	if err := strictjson.Check(raw); err != nil {
		return nil, fmt.Errorf("reading evidence: %w", err)
	}
	e := new(Evidence)
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(e); err != nil {
		return nil, fmt.Errorf("reading evidence: %w", err)
	}
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("reading evidence: %w", err)
	}
	return e, nil
}

// Marshal returns the document. It sets Type.
func (e Evidence) Marshal() ([]byte, error) {
	e.Type = DocumentType
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("making evidence: %w", err)
	}
	return encode(e)
}

func (e *Evidence) check() error {
	if e.Type != DocumentType {
		return fmt.Errorf("type %q, want %q", e.Type, DocumentType)
	}
	if !slices.Contains(Platforms(), e.Platform) {
		return fmt.Errorf("unknown platform %q", e.Platform)
	}
	if len(e.Statement) == 0 || len(e.Quote) == 0 {
		return fmt.Errorf("statement or quote is missing")
	}
	return nil
}

// MatchParts parses the agent parts and checks that they are exactly those the boot statement lists, in its order.
func (e *Evidence) MatchParts(boot *Boot) ([]*AgentPart, error) {
	if len(e.Parts) != len(boot.Agents) {
		return nil, fmt.Errorf("evidence has %d agent parts, its boot statement lists %d", len(e.Parts), len(boot.Agents))
	}
	parts := make([]*AgentPart, len(e.Parts))
	seen := map[string]bool{}
	for i, raw := range e.Parts {
		if Sum(raw) != boot.Agents[i] {
			return nil, fmt.Errorf("agent part %d has SHA-256 %s, its boot statement lists %s", i, Sum(raw), boot.Agents[i])
		}
		p, err := ParseAgentPart(raw)
		if err != nil {
			return nil, fmt.Errorf("agent part %d: %w", i, err)
		}
		if seen[p.Agent] {
			return nil, fmt.Errorf("agent part %d: agent %s is listed twice", i, p.Agent)
		}
		seen[p.Agent] = true
		parts[i] = p
	}
	return parts, nil
}
