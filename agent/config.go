// Package agent is Eliza's runtime: it turns a message into a reply and puts every step on the record. The log, the model,
// the keys and the network are given to it; plugins reach them only through the gate in this package.
//
// It trusts its own code, the plugins compiled into it and the log. It does not trust what people say to it, what models
// answer, what MCP servers return, or what the memory file says: none of them can reach a secret, a key or the spending
// policy, because those are not in any prompt and the gate takes no text for an answer.
package agent

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/teapot-tee/teapot/agent/chains"
	"github.com/teapot-tee/teapot/agent/character"
	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/model"
	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/record"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys/wallets"
)

// Config is what an agent is made of. Character, Log and Memory are needed.
type Config struct {
	Character *character.Character
	Log       record.Log
	Memory    *memory.Store
	Model     model.Model    // nil: the one that the character names
	Embedder  model.Embedder // nil: the one that the settings name, else the offline one
	Plugins   []plugin.Plugin
	Wallets   []*wallets.Wallet            // none: no addresses, no transfers
	Spending  []evidence.Spending          // the boot statement's spending policy; none forbids every transfer
	Chains    map[string]chains.Connection // by name; nil: those that the settings name (SOLANA_RPC_URL, EVM_RPC_URL)
	Attest    Attestation                  // nil: the agent cannot quote
	Hosts     []string                     // hosts that plugins may fetch from; none by default
	HostKeys  map[string]string            // names of secrets that the gate may put into a header, to the host that may get it
	HTTP      *http.Client                 // for Fetch; nil: one without redirects
	Now       func() time.Time
	Logger    *slog.Logger

	Timeout       time.Duration // of one message; 0 = 2 min
	Conversation  int           // messages in a prompt; 0 = 32, Eliza's conversationLength
	KeepExchanges bool          // log the bytes of model calls besides their hashes, up to 64 KiB each
}

// Attestation makes evidence about this process. Quotes are expensive and rate limited: never one per message.
type Attestation interface {
	// Boot names the evidence of this start.
	Boot(ctx context.Context) (plugin.Evidence, error)
	// Attest makes a fresh quote that binds text, keeps its evidence, and names it.
	Attest(ctx context.Context, text string) (plugin.Evidence, error)
}
