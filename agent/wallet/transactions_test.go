package wallet

import (
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"testing"

	"github.com/teapot-tee/teapot/agent/wallet/evmtx"
	"github.com/teapot-tee/teapot/agent/wallet/solanatx"
	"github.com/teapot-tee/teapot/keys"
)

type vectors struct {
	EVM []struct {
		ChainID, Nonce, Gas               uint64
		Tip, Fee, To, Value, Signed, Hash string
	}
	Solana []struct {
		To, Recent, Message, Transaction string
		Lamports                         uint64
	}
	EVMAddress    string `json:"evmAddress"`
	SolanaAddress string `json:"solanaAddress"`
}

func load(t *testing.T) (v vectors) {
	t.Helper()
	data, err := os.ReadFile("testdata/transactions.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func number(t *testing.T, text string) *big.Int {
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		t.Fatalf("%q", text)
	}
	return n
}

func TestEVMTransactionsAreViems(t *testing.T) {
	v := load(t)
	key, err := keys.NewEVM([32]byte{8})
	if err != nil || key.Address() != v.EVMAddress {
		t.Fatalf("%v, address %s", err, key.Address())
	}
	for _, c := range v.EVM {
		to, err := evmtx.ParseAddress(c.To)
		if err != nil {
			t.Fatal(err)
		}
		tx := evmtx.Transaction{ChainID: c.ChainID, Nonce: c.Nonce, Gas: c.Gas, MaxPriorityFee: number(t, c.Tip), MaxFee: number(t, c.Fee), To: to, Value: number(t, c.Value)}
		signed, err := tx.Signed(key.SignDigest(tx.Digest()))
		if err != nil {
			t.Fatal(err)
		}
		if got := "0x" + hex.EncodeToString(signed); got != c.Signed || evmtx.Hash(signed) != c.Hash {
			t.Errorf("nonce %d:\n got %s\nwant %s", c.Nonce, got, c.Signed)
		}
	}
}

func TestEVMAddressesAreChecked(t *testing.T) {
	for text, ok := range map[string]bool{
		"0x8ba1f109551bD432803012645Ac136ddd64DBA72": true, "0x8ba1f109551bd432803012645ac136ddd64dba72": true,
		"0x8Ba1f109551bD432803012645Ac136ddd64DBA72": false, "8ba1f109551bD432803012645Ac136ddd64DBA72": false, "0x12": false, "": false,
	} {
		if _, err := evmtx.ParseAddress(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestSolanaTransactionsAreWeb3s(t *testing.T) {
	v := load(t)
	key := keys.NewSolana([32]byte{7})
	if key.Address() != v.SolanaAddress {
		t.Fatal(key.Address())
	}
	for _, c := range v.Solana {
		to, err := solanatx.ParseKey(c.To)
		if err != nil {
			t.Fatal(err)
		}
		recent, err := solanatx.ParseKey(c.Recent)
		if err != nil {
			t.Fatal(err)
		}
		message, err := solanatx.Transfer(solanatx.Key(key.Public()), to, c.Lamports, recent)
		if err != nil || hex.EncodeToString(message) != c.Message {
			t.Errorf("%v\n got %x\nwant %s", err, message, c.Message)
		}
		transaction, err := solanatx.Transaction(key.Sign(message), message)
		if err != nil || hex.EncodeToString(transaction) != c.Transaction {
			t.Errorf("%v\n got %x\nwant %s", err, transaction, c.Transaction)
		}
	}
	if _, err := solanatx.Transfer(solanatx.Key{1}, solanatx.Key{1}, 1, solanatx.Key{}); err == nil {
		t.Error("a transfer to itself")
	}
}
