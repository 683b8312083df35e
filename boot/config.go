// Package boot is one start of a Teapot process: it derives the keys, opens the logs, makes the boot statement, has the platform
// quote it, and writes the boot leaf of every log before anything else is acknowledged.
//
// It trusts its platform (attest.Attester) for keys and quotes and its own memory for everything after; a reader trusts none of it
// and follows the same chain from the other end (package verify). Fresh keys (boot key, agent keys) are random and never stored.
package boot

import (
	"log/slog"
	"time"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/evidence"
)

// Config of one start. Everything that ends in the statement comes from measured input or is listed in Unmeasured.
type Config struct {
	Dir           string // data directory
	Attester      attest.Attester
	Simulated     bool                    // the attester's quotes are not under Intel's root, whatever platform it is of
	Collateral    attest.CollateralSource // nil: evidence goes without, readers fetch it themselves
	Software      evidence.Software
	Configuration []byte   // exact measured configuration, without secrets
	Plugins       []string // names and versions of what is compiled in and switched on
	Policies      evidence.Policies
	Unmeasured    []evidence.Unmeasured
	TLSKey        []byte // SubjectPublicKeyInfo of the server's TLS key; nil: no TLS
	HPKEKeys      []evidence.HPKEKey
	Agents        []AgentSpec
	Now           func() time.Time
	Logger        *slog.Logger
	Fatal         func(error) // told once when the log cannot go on; the process must end
}

// AgentSpec is what the operator says about one agent.
type AgentSpec struct {
	ID        string // UUID, lower case
	Name      string
	Character []byte // exact bytes of the character, without secrets: what the part commits to
	LogNumber uint64 // 0 unless the operator starts a new log after a loss
	Wallets   string // derivation: "" is Teapot's own; wallets.Eliza017 or Eliza019 for those who must keep addresses
	Salt      string // WALLET_SECRET_SALT, for Eliza's derivation
}
