package server

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/ratls"
	"github.com/teapot-tee/teapot/server/problem"
)

// Attestation serves what this process is: GET /v1/, /v1/evidence, /v1/evidence/{sha256}, POST /v1/session.
type Attestation struct {
	Process *boot.Process
	Version string
	Leaf    func(*tls.ConnectionState) []byte // certificate shown on a connection; nil without TLS
	Budget  *ratls.Budget                     // shared with every other route that makes quotes
}

type index struct {
	Version   string          `json:"version"`
	Platform  string          `json:"platform"`
	Simulated bool            `json:"simulated"`
	Boot      evidence.Digest `json:"boot"`
	Agents    []indexAgent    `json:"agents"`
}

type indexAgent struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	Origin  string            `json:"origin"`
	Size    uint64            `json:"size"`
	Wallets []evidence.Wallet `json:"wallets"`
}

// Register adds the routes.
func (a Attestation) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/{$}", a.index)
	mux.HandleFunc("GET /v1/evidence", a.newest)
	mux.HandleFunc("GET /v1/evidence/{id}", a.byID)
	mux.Handle("POST /v1/session", &ratls.SessionHandler{Prover: a.Process, Leaf: a.Leaf, Budget: a.Budget})
	mux.HandleFunc("/v1/", func(w http.ResponseWriter, _ *http.Request) {
		problem.Write(w, http.StatusNotFound, "no such route", "nothing is served here", "GET /v1/ lists the agents; the routes are in docs/api.md")
	})
}

func (a Attestation) index(w http.ResponseWriter, _ *http.Request) {
	answer := index{
		Version: a.Version, Platform: a.Process.Platform(), Simulated: a.Process.Simulated(),
		Boot: evidence.Sum(a.Process.Evidence().Statement), Agents: []indexAgent{},
	}
	for _, agent := range a.Process.Agents() {
		answer.Agents = append(answer.Agents, indexAgent{agent.ID, agent.Name, agent.Log.Origin(), agent.Log.Size(), agent.Part().Wallets})
	}
	writeJSON(w, answer)
}

func (a Attestation) newest(w http.ResponseWriter, r *http.Request) {
	a.document(w, r, evidence.Sum(a.Process.Evidence().Statement), "no-cache")
}

func (a Attestation) byID(w http.ResponseWriter, r *http.Request) {
	var id evidence.Digest
	if err := id.UnmarshalText([]byte(r.PathValue("id"))); err != nil {
		problem.Write(w, http.StatusBadRequest, "bad evidence id", err.Error(), "the id is the SHA-256 of the statement, 64 hex digits")
		return
	}
	a.document(w, r, id, "public, max-age=31536000, immutable")
}

func (a Attestation) document(w http.ResponseWriter, _ *http.Request, id evidence.Digest, cache string) {
	document, ok := a.Process.Document(id)
	if !ok {
		problem.Write(w, http.StatusNotFound, "no such evidence", "this start did not make it, or it is too old to be kept", "boot evidence of earlier starts is in the log: GET /v1/agents/{id}/bundle")
		return
	}
	w.Header().Set("Cache-Control", cache)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(document)))
	_, _ = w.Write(document) // the client is gone; nothing to tell it
}

func writeJSON(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		problem.Write(w, http.StatusInternalServerError, "internal error", "the answer could not be written", "report it")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the client is gone; nothing to tell it
}
