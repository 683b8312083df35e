package client

import (
	"context"
	"fmt"
	"net/url"
)

// Wallet is one wallet as GET /v1/agents/{agent}/wallets shows it.
type Wallet struct {
	Chain      string   `json:"chain"`
	Address    string   `json:"address"`
	Derivation string   `json:"derivation"`
	Shared     bool     `json:"shared"`
	Warnings   []string `json:"warnings"`
	KeyChain   []string `json:"key_chain"`
}

// WalletSignature is the answer of POST /v1/agents/{agent}/wallets/sign.
type WalletSignature struct {
	Agent     string `json:"agent"`
	Chain     string `json:"chain"`
	Address   string `json:"address"`
	Scheme    string `json:"scheme"`
	Signature string `json:"signature"`
	Intent    uint64 `json:"intent"`
	Result    uint64 `json:"result"`
}

// Wallets returns an agent's wallets with what is wrong with them. It is the server's word: what counts is the boot statement.
func (c *Client) Wallets(ctx context.Context, agent string) ([]Wallet, error) {
	a, err := c.get(ctx, "/v1/agents/"+url.PathEscape(agent)+"/wallets", nil)
	if err != nil {
		return nil, err
	}
	answer, err := decode[struct {
		Agent   string   `json:"agent"`
		Wallets []Wallet `json:"wallets"`
	}](a, "reading wallets")
	return answer.Wallets, err
}

// SignMessage asks the agent's gate for a signature. It needs the token, so it refuses to send it over a network, where
// nothing has proven yet who answers.
func (c *Client) SignMessage(ctx context.Context, agent, chain, message string) (WalletSignature, error) {
	if !c.Loopback() {
		return WalletSignature{}, &Error{Op: "signing", Cause: fmt.Sprintf("%s is not this machine, and the operator's token stays here", c.Address()), Next: "run teapot wallet sign on the agent's machine, or through an ssh tunnel"}
	}
	a, err := c.post(ctx, "/v1/agents/"+url.PathEscape(agent)+"/wallets/sign", map[string]string{"chain": chain, "message": message})
	if err != nil {
		return WalletSignature{}, err
	}
	return decode[WalletSignature](a, "reading the signature")
}
