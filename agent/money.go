package agent

import (
	"context"
	"fmt"
	"math/big"

	"github.com/teapot-tee/teapot/agent/chains"
	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/keys/wallets"
)

// Wallets lists the agent's addresses.
func (t *turn) Wallets() []plugin.Wallet {
	var list []plugin.Wallet
	for _, w := range t.agent.config.Wallets {
		list = append(list, plugin.Wallet{Chain: w.Chain, Address: w.Address})
	}
	return list
}

// Balance asks the chain.
func (t *turn) Balance(ctx context.Context, chain string) (plugin.Amount, error) {
	c, ok := t.agent.config.Chains[chain]
	w, has := t.agent.wallet(chain)
	if !ok || !has {
		return plugin.Amount{}, fmt.Errorf("%w: no RPC URL or no wallet for %s", plugin.ErrNotConfigured, chain)
	}
	return c.Balance(ctx, w.Address)
}

func (a *Agent) wallet(chain string) (*wallets.Wallet, bool) {
	for _, w := range a.config.Wallets {
		if w.Chain == chain {
			return w, true
		}
	}
	return nil, false
}

// TransferIntent is the name of the intent that every transfer has; the ledger is rebuilt from them.
const TransferIntent = "WALLET_TRANSFER"

// TransferDetail is the detail of such an intent.
type TransferDetail struct {
	Chain string `json:"chain"`
	From  string `json:"from"`
	To    string `json:"to"`
	Units string `json:"units"` // decimal, lamports or wei
}

// Transfer sends money if the spending policy allows it. The policy is asked before anything is signed, after the intent
// is durable; both are public.
func (t *turn) Transfer(ctx context.Context, x plugin.Transfer) (id string, err error) {
	w, has := t.agent.wallet(x.Chain)
	chain, ok := t.agent.config.Chains[x.Chain]
	if !ok || !has {
		return "", fmt.Errorf("%w: no RPC URL or no wallet for %s", plugin.ErrNotConfigured, x.Chain)
	}
	if limited, ok := chain.(chains.Limited); ok {
		if err := limited.CanTransfer(); err != nil {
			return "", fmt.Errorf("%w: %w", plugin.ErrNotConfigured, err)
		}
	}
	if x.Units == nil {
		x.Units = new(big.Int)
	}
	detail := TransferDetail{Chain: x.Chain, From: w.Address, To: bounded(x.To), Units: x.Units.String()}
	err = t.Do(ctx, plugin.Intent{Name: TransferIntent, Detail: detail, Public: true}, func(ctx context.Context) (any, error) {
		if err := t.agent.spent.Reserve(x.Chain, x.To, x.Units, t.Now()); err != nil {
			return nil, err
		}
		id, err = chain.Transfer(ctx, w, x)
		return map[string]string{"transaction": id}, err
	})
	return id, err
}

// Evidence names the evidence of this start.
func (t *turn) Evidence(ctx context.Context) (plugin.Evidence, error) {
	if t.agent.config.Attest == nil {
		return plugin.Evidence{}, fmt.Errorf("%w: this agent was started without a TEE", plugin.ErrNotConfigured)
	}
	return t.agent.config.Attest.Boot(ctx)
}

// Attest makes a fresh quote over text.
func (t *turn) Attest(ctx context.Context, text string) (plugin.Evidence, error) {
	if t.agent.config.Attest == nil {
		return plugin.Evidence{}, fmt.Errorf("%w: this agent was started without a TEE", plugin.ErrNotConfigured)
	}
	return t.agent.config.Attest.Attest(ctx, text)
}
