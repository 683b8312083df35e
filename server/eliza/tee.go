package eliza

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/evidence"
)

// Process is what /tee/* needs of this start; *boot.Process is one.
type Process interface {
	Agent(id string) (*boot.Agent, bool)
	Statement() evidence.Boot
	Evidence() *evidence.Evidence
}

// Quoter makes quotes; an attest.Attester is one.
type Quoter interface {
	Platform() string
	Quote(ctx context.Context, reportData [64]byte) (attest.Quote, error)
}

// teeRow is a row of Eliza's table tee_agents. PublicKey is the Ed25519 key that signs this start's entries, in hex;
// Attestation is the quote of the boot statement that names it, not a quote over the bare key.
type teeRow struct {
	ID          string `json:"id"`
	AgentID     string `json:"agentId"`
	AgentName   string `json:"agentName"`
	CreatedAt   int64  `json:"createdAt"`
	PublicKey   string `json:"publicKey"`
	Attestation string `json:"attestation"`
	Origin      string `json:"origin"`
	Evidence    string `json:"evidence"`
}

// legacy is plugin-tee's attestation object, in its order.
type legacy struct {
	Quote     string `json:"quote"`
	Timestamp int64  `json:"timestamp"`
}

func (l legacy) text() string {
	b, err := json.Marshal(l)
	if err != nil {
		return "" // a text and a number can always be written
	}
	return string(b)
}

func (s *routes) row(a *agent.Agent) (teeRow, bool) {
	if s.Process == nil {
		return teeRow{}, false
	}
	booted, ok := s.Process.Agent(a.ID())
	if !ok {
		return teeRow{}, false
	}
	part, statement, e := booted.Part(), s.Process.Statement(), s.Process.Evidence()
	at := time.UnixMicro(int64(statement.Time)).UnixMilli()
	key, err := part.AgentKey.MarshalText()
	if err != nil {
		return teeRow{}, false
	}
	r := teeRow{
		ID: uuid.Of(part.Log.Origin + "/" + string(key)), AgentID: a.ID(), AgentName: a.Name(), CreatedAt: at,
		PublicKey: string(key), Origin: part.Log.Origin, Evidence: "/v1/evidence/" + e.ID().String(),
	}
	r.Attestation = legacy{"0x" + hex.EncodeToString(e.Quote), at}.text()
	return r, true
}

func (s *routes) teeAgents(w http.ResponseWriter, r *http.Request) {
	rows := []teeRow{}
	for _, a := range s.Agents.All() {
		if row, ok := s.row(a); ok {
			rows = append(rows, row)
		}
	}
	s.attested(w, r, "agents", rows, "Failed to get TEE agents")
}

func (s *routes) teeAgent(w http.ResponseWriter, r *http.Request) {
	a, ok := s.Agents.Get(r.PathValue("id"))
	if !ok {
		fail(w, http.StatusNotFound, "Agent not found")
		return
	}
	row, ok := s.row(a)
	if !ok {
		fail(w, http.StatusInternalServerError, "Failed to get TEE agent")
		return
	}
	s.attested(w, r, "agent", row, "Failed to get TEE agent")
}

// attested answers {name: value, attestation}: a fresh quote over the exact bytes of the value as they stand in the answer.
// It is Eliza's form, made for readers of that form: it holds no nonce and no query, so Teapot's own verifier never
// accepts it. docs/eliza.md says what to use instead.
func (s *routes) attested(w http.ResponseWriter, r *http.Request, name string, value any, failure string) {
	body, err := encode(value)
	if err != nil {
		fail(w, http.StatusInternalServerError, failure)
		return
	}
	text, wait, err := s.quote(r.Context(), string(body))
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		fail(w, http.StatusTooManyRequests, "quotes are made at a limited rate for everybody; try again shortly, or use /v1, which needs none")
		return
	}
	if err != nil {
		s.Logger.ErrorContext(r.Context(), "making a quote", "error", err)
		fail(w, http.StatusInternalServerError, failure)
		return
	}
	quoted, err := encode(text)
	if err != nil {
		fail(w, http.StatusInternalServerError, failure)
		return
	}
	out := append([]byte(`{"`+name+`":`), body...)
	out = append(out, `,"attestation":`...)
	raw(w, http.StatusOK, append(append(out, quoted...), '}'))
}

// quote makes Eliza's attestation of a text. wait is how long the budget for quotes is used up.
func (s *routes) quote(ctx context.Context, text string) (attestation string, wait time.Duration, err error) {
	if s.Quoter == nil {
		return "", 0, nil
	}
	now := s.Now()
	if wait := s.Budget.Take(now); wait > 0 {
		return "", wait, nil
	}
	data := evidence.LegacyReportDataTDX(text)
	if s.Quoter.Platform() == "gramine-sgx" {
		data = evidence.LegacyReportDataSGX(text)
	}
	if evidence.Tagged(data[:]) {
		return "", 0, errors.New("the text's hash begins with Teapot's tag; nobody gets such a quote")
	}
	q, err := s.Quoter.Quote(ctx, data)
	if err != nil {
		return "", 0, err
	}
	return legacy{"0x" + hex.EncodeToString(q.Raw), now.UnixMilli()}.text(), 0, nil
}
