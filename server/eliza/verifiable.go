package eliza

import (
	"net/http"

	"github.com/teapot-tee/teapot/server/express"
)

// The routes of plugin-tee-verifiable-log answer what Eliza answers when the plugin is absent, without the stack trace.
// POST /verifiable/attestation attested any key that a caller named, in the very form of a wallet's attestation: no server
// of ours does that.

func (s *routes) verifiableAgents(w http.ResponseWriter, _ *http.Request) {
	absentLog(w, "failed to get agents registered", "use GET /tee/agents, or /v1/")
}

func (s *routes) verifiableAttestation(w http.ResponseWriter, _ *http.Request) {
	absentLog(w, "failed to get attestation", "keys that a caller names are never attested; GET /v1/evidence vouches for the keys that this process holds")
}

func (s *routes) verifiableLogs(w http.ResponseWriter, _ *http.Request) {
	absentLog(w, "failed to get verifiable logs", "use POST /tee/logs, or GET /v1/agents/{id}/bundle, which proves that nothing is missing")
}

func absentLog(w http.ResponseWriter, err, details string) {
	express.JSON(w, http.StatusInternalServerError, map[string]string{"error": err, "details": details})
}
