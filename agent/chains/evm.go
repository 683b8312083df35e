package chains

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"

	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/wallet/evmtx"
	"github.com/teapot-tee/teapot/keys/wallets"
)

// EVM is an Ethereum-like network.
type EVM struct {
	rpc   rpc
	chain uint64
}

// mainNetworks are chains with real money: a wallet of a TEE that nobody has audited does not belong there.
var mainNetworks = map[uint64]string{1: "Ethereum", 10: "OP Mainnet", 56: "BNB Chain", 100: "Gnosis", 137: "Polygon", 8453: "Base", 42161: "Arbitrum One", 43114: "Avalanche"}

// NewEVM connects to a network. chain is the id that transfers are for; 0 allows balances only.
func NewEVM(url string, chain uint64, client *http.Client) *EVM {
	return &EVM{newRPC(url, client), chain}
}

// CanTransfer says why there are no transfers on this chain.
func (e *EVM) CanTransfer() error {
	if name, main := mainNetworks[e.chain]; main {
		return fmt.Errorf("chain %d is %s, which has real money; Teapot transfers on test networks only", e.chain, name)
	}
	if e.chain == 0 {
		return errors.New("the chain id of the EVM test network is missing: set EVM_CHAIN_ID, as 11155111 for Sepolia")
	}
	return nil
}

// Balance asks for wei.
func (e *EVM) Balance(ctx context.Context, address string) (plugin.Amount, error) {
	n, err := e.quantity(ctx, "eth_getBalance", address, "latest")
	return plugin.Amount{Chain: wallets.EVMChain, Units: n, Decimals: 18, Symbol: "ETH"}, err
}

const (
	transferGas = 21000
	maxFeeGwei  = 500 // per gas; more is a mistake or a lie of the server
)

// Transfer sends wei.
func (e *EVM) Transfer(ctx context.Context, from *wallets.Wallet, t plugin.Transfer) (string, error) {
	if from.EVM == nil {
		return "", errors.New("the wallet has no EVM key")
	}
	if err := e.CanTransfer(); err != nil {
		return "", err
	}
	to, err := evmtx.ParseAddress(t.To)
	if err != nil {
		return "", err
	}
	tx, err := e.prepare(ctx, from.Address, to, t.Units)
	if err != nil {
		return "", err
	}
	signed, err := tx.Signed(from.EVM.SignDigest(tx.Digest()))
	if err != nil {
		return "", err
	}
	id := evmtx.Hash(signed)
	var got string
	if err := e.rpc.call(ctx, &got, "eth_sendRawTransaction", "0x"+hex.EncodeToString(signed)); err != nil {
		return id, fmt.Errorf("transaction %s may or may not have been sent: %w", id, err)
	}
	if !strings.EqualFold(got, id) {
		return id, fmt.Errorf("the server calls the transaction %.80q, its bytes are %s", got, id)
	}
	return id, nil
}

func (e *EVM) prepare(ctx context.Context, from string, to [20]byte, units *big.Int) (evmtx.Transaction, error) {
	tx := evmtx.Transaction{ChainID: e.chain, Gas: transferGas, To: to, Value: units}
	id, err := e.quantity(ctx, "eth_chainId")
	if err != nil {
		return tx, err
	}
	if !id.IsUint64() || id.Uint64() != e.chain {
		return tx, fmt.Errorf("the server is of chain %s, the configuration says %d", id, e.chain)
	}
	nonce, err := e.quantity(ctx, "eth_getTransactionCount", from, "pending")
	if err != nil {
		return tx, err
	}
	if !nonce.IsUint64() {
		return tx, errors.New("the server's nonce is no number of transactions")
	}
	tx.Nonce = nonce.Uint64()
	return tx, e.fees(ctx, &tx)
}

// fees takes twice the gas price as the most and a tenth of a gwei more as the tip, within a bound that no server can lift.
func (e *EVM) fees(ctx context.Context, tx *evmtx.Transaction) error {
	price, err := e.quantity(ctx, "eth_gasPrice")
	if err != nil {
		return err
	}
	tx.MaxPriorityFee = big.NewInt(100_000_000)
	tx.MaxFee = new(big.Int).Add(new(big.Int).Lsh(price, 1), tx.MaxPriorityFee)
	if most := new(big.Int).Mul(big.NewInt(maxFeeGwei), big.NewInt(1e9)); tx.MaxFee.Cmp(most) > 0 {
		return fmt.Errorf("the fee of %s wei per gas is more than %d gwei", tx.MaxFee, maxFeeGwei)
	}
	return nil
}

// quantity is a JSON-RPC quantity: 0x and hex digits.
func (e *EVM) quantity(ctx context.Context, method string, params ...any) (*big.Int, error) {
	var text string
	if err := e.rpc.call(ctx, &text, method, params...); err != nil {
		return nil, err
	}
	digits, ok := strings.CutPrefix(text, "0x")
	n, valid := new(big.Int).SetString(digits, 16)
	if !ok || !valid || len(digits) > 64 || n.Sign() < 0 {
		return nil, fmt.Errorf("%s: %.80q is no quantity", method, text)
	}
	return n, nil
}

// ParseChainID reads EVM_CHAIN_ID.
func ParseChainID(text string) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 0, 64)
	if err != nil {
		return 0, fmt.Errorf("chain id %.40q is no number", text)
	}
	return n, nil
}
