package tee

import (
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/server/express"
)

// errNoKey: no process declared a key for the agent.
var errNoKey = errors.New("no key of this agent is declared")

// row is a row of Eliza's table tee_agents. PublicKey is the Ed25519 key that signs this start's entries, in hex;
// Attestation is the quote of the boot statement that names it, not a quote over the bare key.
type row struct {
	ID          string `json:"id"`
	AgentID     string `json:"agentId"`
	AgentName   string `json:"agentName"`
	CreatedAt   int64  `json:"createdAt"`
	PublicKey   string `json:"publicKey"`
	Attestation string `json:"attestation"`
	Origin      string `json:"origin"`
	Evidence    string `json:"evidence"`
}

// row makes an agent's row, and the proof that the boot leaf which declares its key is in its log.
func (s *routes) row(a Agent) (out row, proven proofs, err error) {
	if s.Process == nil {
		return row{}, proofs{}, errNoKey
	}
	booted, ok := s.Process.Agent(a.ID)
	if !ok {
		return row{}, proofs{}, errNoKey
	}
	part, statement, e := booted.Part(), s.Process.Statement(), s.Process.Evidence()
	at := int64(statement.Time) // milliseconds, as Eliza's
	key, err := part.AgentKey.MarshalText()
	if err != nil {
		return row{}, proofs{}, err
	}
	out = row{
		ID: uuid.Of(part.Log.Origin + "/" + string(key)), AgentID: a.ID, AgentName: a.Name, CreatedAt: at,
		PublicKey: string(key), Origin: part.Log.Origin, Evidence: "/v1/evidence/" + e.ID().String(),
		Attestation: legacy{"0x" + hex.EncodeToString(e.Quote), at}.text(),
	}
	proven, err = prove(a, []uint64{part.Found.Size}, true) // the boot leaf follows what was found
	return out, proven, err
}

func (s *routes) agents(w http.ResponseWriter, r *http.Request) {
	nonce, ok := s.nonce(w, r.URL.Query().Get("nonce"), len(s.Agents()) == 1, "GET /tee/agents/{id}")
	if !ok {
		return
	}
	a := reply{name: "agents", nonce: nonce, query: "GET /tee/agents", failure: "Failed to get TEE agents", proofs: []proofs{}}
	rows := []row{}
	for _, agent := range s.Agents() {
		row, proven, err := s.row(agent)
		if err == nil {
			rows, a.proofs = append(rows, row), append(a.proofs, proven)
		}
	}
	a.value = rows
	s.answer(w, r, a)
}

func (s *routes) agent(w http.ResponseWriter, r *http.Request) {
	agent, ok := s.find(r.PathValue("id"))
	if !ok {
		express.Fail(w, http.StatusNotFound, "Agent not found")
		return
	}
	nonce, ok := s.nonce(w, r.URL.Query().Get("nonce"), true, "")
	if !ok {
		return
	}
	row, proven, err := s.row(agent)
	if err != nil {
		express.Fail(w, http.StatusInternalServerError, "Failed to get TEE agent")
		return
	}
	s.answer(w, r, reply{
		name: "agent", value: row, proofs: []proofs{proven}, nonce: nonce, query: "GET /tee/agents/" + agent.ID, failure: "Failed to get TEE agent",
	})
}

// nonce reads the nonce of a request about one log or several; ok is false when it was answered.
func (s *routes) nonce(w http.ResponseWriter, text string, one bool, instead string) (nonce []byte, ok bool) {
	nonce, err := nonceOf(text)
	switch {
	case err != nil:
		express.Fail(w, http.StatusBadRequest, err.Error())
	case nonce != nil && !one:
		express.Fail(w, http.StatusBadRequest, "an answer to a nonce is about one log, and several agents run here: use "+instead)
	default:
		return nonce, true
	}
	return nil, false
}
