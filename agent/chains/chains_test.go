package chains

import (
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mr-tron/base58"

	"github.com/teapot-tee/teapot/agent/agenttest/fixed"
	"github.com/teapot-tee/teapot/agent/plugin"
)

// node is a fake JSON-RPC server that answers by method.
func node(t *testing.T, answers map[string]func(params []json.RawMessage) any) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Method string
			Params []json.RawMessage
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		answer, ok := answers[q.Method]
		if !ok {
			json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": 1, "error": map[string]any{"code": -32601, "message": "no " + q.Method}})
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": 1, "result": answer(q.Params)})
	}))
	t.Cleanup(s.Close)
	return s
}

func says(v any) func([]json.RawMessage) any { return func([]json.RawMessage) any { return v } }

const payee = "0x8ba1f109551bD432803012645Ac136ddd64DBA72"

func evmNode(t *testing.T, chain, price string) (*httptest.Server, *string) {
	var sent string
	return node(t, map[string]func([]json.RawMessage) any{
		"eth_getBalance": says("0xde0b6b3a7640000"), "eth_chainId": says(chain), "eth_getTransactionCount": says("0x7f"), "eth_gasPrice": says(price),
		"eth_sendRawTransaction": func(p []json.RawMessage) any {
			json.Unmarshal(p[0], &sent)
			return fixed.TransactionHash(sent)
		},
	}), &sent
}

func TestEVM(t *testing.T) {
	s, sent := evmNode(t, "0xaa36a7", "0x3b9aca00")
	e := NewEVM(s.URL, 11155111, s.Client())
	evm, _ := fixed.Wallets()
	if b, err := e.Balance(t.Context(), evm.Address); err != nil || b.Units.String() != "1000000000000000000" {
		t.Errorf("balance %v %v", b, err)
	}
	id, err := e.Transfer(t.Context(), evm, plugin.Transfer{Chain: "evm", To: payee, Units: big.NewInt(5)})
	if err != nil || !strings.HasPrefix(*sent, "0x02") || id != fixed.TransactionHash(*sent) {
		t.Errorf("%v: id %s of %s", err, id, *sent)
	}
}

func TestEVMRefusals(t *testing.T) {
	evm, _ := fixed.Wallets()
	for name, c := range map[string]struct {
		chain         uint64
		server, price string
		to, want      string
	}{
		"mainnet":      {1, "0x1", "0x1", payee, "real money"},
		"unknown":      {0, "0x1", "0x1", payee, "EVM_CHAIN_ID"},
		"other chain":  {11155111, "0x1", "0x1", payee, "server is of chain 1"},
		"absurd fee":   {11155111, "0xaa36a7", "0xffffffffffff", payee, "more than 500 gwei"},
		"typing error": {11155111, "0xaa36a7", "0x1", strings.Replace(payee, "8ba1", "8Ba1", 1), "checksum"},
		"no quantity":  {11155111, "x", "0x1", payee, "no quantity"},
	} {
		s, sent := evmNode(t, c.server, c.price)
		_, err := NewEVM(s.URL, c.chain, s.Client()).Transfer(t.Context(), evm, plugin.Transfer{To: c.to, Units: big.NewInt(1)})
		if err == nil || !strings.Contains(err.Error(), c.want) || *sent != "" {
			t.Errorf("%s: %v, sent %q", name, err, *sent)
		}
	}
}

func TestSolana(t *testing.T) {
	_, sol := fixed.Wallets()
	genesis, sent := "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG", ""
	s := node(t, map[string]func([]json.RawMessage) any{
		"getBalance": says(map[string]any{"value": 42}), "getGenesisHash": func([]json.RawMessage) any { return genesis },
		"getLatestBlockhash": says(map[string]any{"value": map[string]string{"blockhash": "EETubP5AKHgjPAhzPAFcb8BAY1hMH639CWCFTqi3hq1k"}}),
		"sendTransaction": func(p []json.RawMessage) any {
			json.Unmarshal(p[0], &sent)
			raw, _ := base64.StdEncoding.DecodeString(sent)
			return base58.Encode(raw[1:65])
		},
	})
	c := NewSolana(s.URL, s.Client())
	if b, err := c.Balance(t.Context(), sol.Address); err != nil || b.Units.Int64() != 42 {
		t.Errorf("balance %v %v", b, err)
	}
	order := plugin.Transfer{Chain: "solana", To: "9jW8FPr6BSSsemWPV22UUCzSqkVdTp6HTyPqeqyuBbCa", Units: big.NewInt(7)}
	if id, err := c.Transfer(t.Context(), sol, order); err != nil || id == "" || sent == "" {
		t.Errorf("%q %v", id, err)
	}
	genesis, sent = mainnetGenesis, ""
	if _, err := c.Transfer(t.Context(), sol, order); err == nil || sent != "" {
		t.Errorf("on mainnet: %v, sent %q", err, sent)
	}
}

func TestRPCErrorsAreErrors(t *testing.T) {
	s := node(t, nil)
	if _, err := NewSolana(s.URL, s.Client()).Balance(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "no getBalance") {
		t.Errorf("got %v", err)
	}
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }))
	defer html.Close()
	if _, err := NewSolana(html.URL, nil).Balance(t.Context(), "x"); err == nil {
		t.Error("HTML was taken for a balance")
	}
}

func TestSettings(t *testing.T) {
	env := map[string]string{"RPC_URL": "http://s", "EVM_PROVIDER_URL": "http://e", "EVM_CHAIN_ID": "0xaa36a7"}
	got, err := FromSettings(func(k string) (string, bool) { v, ok := env[k]; return v, ok }, nil)
	if err != nil || len(got) != 2 {
		t.Errorf("%v %v", got, err)
	}
	env["EVM_CHAIN_ID"] = "sepolia"
	if _, err := FromSettings(func(k string) (string, bool) { v, ok := env[k]; return v, ok }, nil); err == nil {
		t.Error("a chain id that is no number")
	}
}
