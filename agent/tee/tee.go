// Package tee is the plugin for what only an agent in a TEE can do: tell addresses whose keys never left it, prove itself
// with a fresh quote, look up and spend its money. It holds no key and makes no quote: it asks plugin.Runtime, where the
// spending policy and the budget for quotes are.
package tee

import (
	"context"
	"fmt"
	"strings"

	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/evidence"
)

// Plugin returns the plugin.
func Plugin() plugin.Plugin {
	return plugin.Plugin{
		Name: "tee", Description: "Wallet addresses, balances, transfers and remote attestation",
		Actions:   []plugin.Action{walletAddress(), walletBalance(), transfer(), remoteAttestation()},
		Providers: []plugin.Provider{walletProvider()},
	}
}

func walletProvider() plugin.Provider {
	return plugin.Provider{Name: "wallet", Get: func(_ context.Context, c plugin.Call) (string, error) {
		var list []string
		for _, w := range c.Runtime.Wallets() {
			list = append(list, title(w.Chain)+" "+w.Address)
		}
		if len(list) == 0 {
			return "", nil
		}
		return c.Runtime.AgentName() + "'s wallet addresses: " + strings.Join(list, ", ") + ".", nil
	}}
}

func title(chain string) string {
	switch chain {
	case "evm":
		return "EVM"
	case "solana":
		return "Solana"
	}
	return chain
}

func hasWallet(_ context.Context, c plugin.Call) bool { return len(c.Runtime.Wallets()) > 0 }

func walletAddress() plugin.Action {
	return plugin.Action{
		Name: "WALLET_ADDRESS", Similes: []string{"GET_WALLET_ADDRESS", "SHOW_WALLET", "WALLET", "MY_ADDRESS"},
		Description: "Tell the agent's own wallet addresses, with the evidence that vouches for them.",
		Validate:    hasWallet, SuppressInitialMessage: true, Silent: true,
		Handler: func(ctx context.Context, c plugin.Call) error {
			c.Reply(plugin.Content{Text: addresses(ctx, c), Action: "WALLET_ADDRESS"})
			return nil
		},
		Examples: [][]plugin.Example{{
			{User: "{{user1}}", Text: "What is your wallet address?"},
			{User: "{{user2}}", Text: "Here are my addresses.", Action: "WALLET_ADDRESS"},
		}},
	}
}

func addresses(ctx context.Context, c plugin.Call) string {
	lines := []string{strings.TrimSpace(c.Answer.Text)}
	for _, w := range c.Runtime.Wallets() {
		lines = append(lines, title(w.Chain)+": "+w.Address)
	}
	if e, err := c.Runtime.Evidence(ctx); err == nil {
		lines = append(lines, "Attestation: "+e.URL+" (the quote of this start vouches for these addresses; \"teapot verify\" checks it)")
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

func walletBalance() plugin.Action {
	return plugin.Action{
		Name: "WALLET_BALANCE", Similes: []string{"GET_BALANCE", "CHECK_BALANCE", "SHOW_BALANCE"},
		Description: "Look up the balances of the agent's own wallets.",
		Validate:    hasWallet, SuppressInitialMessage: true,
		Handler: func(ctx context.Context, c plugin.Call) error {
			var lines []string
			for _, w := range c.Runtime.Wallets() {
				lines = append(lines, balance(ctx, c, w))
			}
			c.Reply(plugin.Content{Text: strings.Join(lines, "\n"), Action: "WALLET_BALANCE"})
			return nil
		},
	}
}

func balance(ctx context.Context, c plugin.Call, w plugin.Wallet) string {
	amount, err := c.Runtime.Balance(ctx, w.Chain)
	if err != nil {
		return fmt.Sprintf("%s %s: %v", title(w.Chain), w.Address, err)
	}
	return fmt.Sprintf("%s %s: %s", title(w.Chain), w.Address, Format(amount))
}

func remoteAttestation() plugin.Action {
	return plugin.Action{
		Name: "REMOTE_ATTESTATION", Similes: []string{"TEE_REMOTE_ATTESTATION", "TEE_ATTESTATION"},
		Description: "Make a fresh quote bound to this message, and say where its evidence is. When asked for proof of what the agent is.",
		Validate: func(ctx context.Context, c plugin.Call) bool {
			_, err := c.Runtime.Evidence(ctx)
			return err == nil
		},
		SuppressInitialMessage: true,
		Handler:                attest,
		Examples: [][]plugin.Example{{
			{User: "{{user1}}", Text: "Can you prove that you run in a TEE?"},
			{User: "{{user2}}", Text: "I am making a fresh quote for your message.", Action: "REMOTE_ATTESTATION"},
		}},
	}
}

// attest quotes over Eliza's own text for this action, so that readers of that form find what they know.
func attest(ctx context.Context, c plugin.Call) error {
	m := c.Message
	text := evidence.ElizaAttestationText(c.Runtime.AgentID(), c.Runtime.Now().UnixMilli(), m.User, m.Room, m.Text)
	e, err := c.Runtime.Attest(ctx, text)
	if err != nil {
		return err
	}
	said := strings.TrimSpace(c.Answer.Text) + "\nHere you go: " + e.URL + "\nCheck it with \"teapot verify\"; do not take my word."
	c.Reply(plugin.Content{Text: strings.TrimSpace(said), Action: "NONE", URL: e.URL})
	return nil
}
