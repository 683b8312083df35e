// Package fixed has wallets of fixed keys. It is for tests only.
package fixed

import (
	"encoding/hex"
	"strings"

	"github.com/teapot-tee/teapot/agent/wallet/evmtx"
	"github.com/teapot-tee/teapot/keys"
	"github.com/teapot-tee/teapot/keys/wallets"
)

// Wallets returns the EVM and the Solana wallet of fixed keys.
func Wallets() (evm, solana *wallets.Wallet) {
	key, err := keys.NewEVM([32]byte{8})
	if err != nil {
		panic("internal: a fixed key is no key: " + err.Error())
	}
	sol := keys.NewSolana([32]byte{7})
	return &wallets.Wallet{Chain: wallets.EVMChain, Address: key.Address(), EVM: key}, &wallets.Wallet{Chain: wallets.SolanaChain, Address: sol.Address(), Solana: &sol}
}

// TransactionHash is the id of 0x and hex of a signed transaction; "" for anything else.
func TransactionHash(signed string) string {
	raw, err := hex.DecodeString(strings.TrimPrefix(signed, "0x"))
	if err != nil {
		return ""
	}
	return evmtx.Hash(raw)
}
