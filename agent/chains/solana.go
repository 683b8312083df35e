package chains

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/http"

	"github.com/mr-tron/base58"

	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/wallet/solanatx"
	"github.com/teapot-tee/teapot/keys/wallets"
)

// mainnetGenesis is the hash of Solana mainnet's first block: the network with real money.
const mainnetGenesis = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"

// Solana is a Solana test network.
type Solana struct{ rpc rpc }

// NewSolana connects to a test network. Which one it is, is asked before every transfer: mainnet is refused.
func NewSolana(url string, client *http.Client) *Solana { return &Solana{newRPC(url, client)} }

// Balance asks for lamports.
func (s *Solana) Balance(ctx context.Context, address string) (plugin.Amount, error) {
	var got struct {
		Value uint64 `json:"value"`
	}
	err := s.rpc.call(ctx, &got, "getBalance", address)
	return plugin.Amount{Chain: wallets.SolanaChain, Units: new(big.Int).SetUint64(got.Value), Decimals: 9, Symbol: "SOL"}, err
}

// Transfer sends lamports.
func (s *Solana) Transfer(ctx context.Context, from *wallets.Wallet, t plugin.Transfer) (string, error) {
	if from.Solana == nil {
		return "", errors.New("the wallet has no Solana key")
	}
	if !t.Units.IsUint64() {
		return "", errors.New("more lamports than there are")
	}
	payee, err := solanatx.ParseKey(t.To)
	if err != nil {
		return "", err
	}
	recent, err := s.recent(ctx)
	if err != nil {
		return "", err
	}
	message, err := solanatx.Transfer(solanatx.Key(from.Solana.Public()), payee, t.Units.Uint64(), recent)
	if err != nil {
		return "", err
	}
	signature := from.Solana.Sign(message)
	transaction, err := solanatx.Transaction(signature, message)
	if err != nil {
		return "", err
	}
	return s.send(ctx, base58.Encode(signature), transaction)
}

// recent returns a blockhash of a network that is not mainnet.
func (s *Solana) recent(ctx context.Context) (solanatx.Key, error) {
	var genesis string
	if err := s.rpc.call(ctx, &genesis, "getGenesisHash"); err != nil {
		return solanatx.Key{}, err
	}
	if genesis == mainnetGenesis {
		return solanatx.Key{}, errors.New("this is Solana mainnet, which has real money; Teapot transfers on test networks only")
	}
	var got struct {
		Value struct {
			Blockhash string `json:"blockhash"`
		} `json:"value"`
	}
	if err := s.rpc.call(ctx, &got, "getLatestBlockhash"); err != nil {
		return solanatx.Key{}, err
	}
	return solanatx.ParseKey(got.Value.Blockhash)
}

func (s *Solana) send(ctx context.Context, id string, transaction []byte) (string, error) {
	var got string
	options := map[string]string{"encoding": "base64"}
	if err := s.rpc.call(ctx, &got, "sendTransaction", base64.StdEncoding.EncodeToString(transaction), options); err != nil {
		return id, fmt.Errorf("transaction %s may or may not have been sent: %w", id, err)
	}
	if got != id {
		return id, fmt.Errorf("the server calls the transaction %.100q, its signature is %s", got, id)
	}
	return id, nil
}
