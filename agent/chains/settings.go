package chains

import (
	"context"
	"net/http"

	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/keys/wallets"
)

// Connection is what an agent can do on a chain; *EVM and *Solana are ones.
type Connection interface {
	Balance(ctx context.Context, address string) (plugin.Amount, error)
	Transfer(ctx context.Context, from *wallets.Wallet, t plugin.Transfer) (string, error)
}

// Limited is a connection that may be fit for balances only. It is asked before a transfer is reserved, so that a missing setting
// does not use up what may be spent in a day.
type Limited interface{ CanTransfer() error }

// FromSettings connects to the chains that settings name: SOLANA_RPC_URL (Eliza also says RPC_URL), and EVM_RPC_URL or
// EVM_PROVIDER_URL with EVM_CHAIN_ID. Chains without a URL are left out.
func FromSettings(setting func(string) (string, bool), client *http.Client) (map[string]Connection, error) {
	found := map[string]Connection{}
	for _, name := range []string{"SOLANA_RPC_URL", "RPC_URL"} {
		if url, ok := setting(name); ok {
			found[wallets.SolanaChain] = NewSolana(url, client)
			break
		}
	}
	for _, name := range []string{"EVM_RPC_URL", "EVM_PROVIDER_URL"} {
		url, ok := setting(name)
		if !ok {
			continue
		}
		text, _ := setting("EVM_CHAIN_ID")
		if text == "" {
			text = "0"
		}
		id, err := ParseChainID(text)
		if err != nil {
			return nil, err
		}
		found[wallets.EVMChain] = NewEVM(url, id, client)
		break
	}
	return found, nil
}
