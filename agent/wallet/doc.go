// Package wallet holds no code: agent/wallet/evmtx and agent/wallet/solanatx build the exact bytes of transactions.
// testdata/transactions.json was made by viem 2.57.20 and @solana/web3.js 1 with transactions.mjs beside it.
package wallet
