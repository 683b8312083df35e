package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/client"
	"github.com/teapot-tee/teapot/keys"
	"github.com/teapot-tee/teapot/keys/wallets"
	"github.com/teapot-tee/teapot/server/access"
	"github.com/teapot-tee/teapot/server/wallet"
)

// countingLog numbers entries and keeps nothing.
type countingLog struct{ n atomic.Uint64 }

func (l *countingLog) Append(context.Context, ...actionlog.Entry) ([]actionlog.Proof, error) {
	return []actionlog.Proof{{Index: l.n.Add(1)}}, nil
}

const walletAgent = "b850bc30-45f8-0041-a00a-83df46d8555d"

// walletServer is the part of a running agent that the wallet commands talk to.
func walletServer(t *testing.T) string {
	t.Helper()
	s, err := sim.New(sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := wallets.Open(t.Context(), s, wallets.Options{Agent: walletAgent, Derivation: wallets.Eliza017})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	wallet.Routes{
		Agent: func(id string) (wallet.Owner, bool) {
			return wallet.Owner{Wallets: opened, Log: &countingLog{}}, id == walletAgent
		},
		Token: access.NewToken("secret"),
	}.Register(mux)
	mux.HandleFunc("GET /v1/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"version":"x","agents":[{"id":%q,"name":"Eliza"}]}`, walletAgent)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestWalletOfARunningAgent(t *testing.T) {
	url, data := walletServer(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "token"), []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, code := command(t, "wallet", "show", url)
	if code != 0 || !strings.Contains(out, "solana") || !strings.Contains(out, "WEAK:") {
		t.Fatalf("exit %d: %s", code, out)
	}
	out, stderr, code := command(t, "wallet", "sign", url, "--data", data, "--chain", "evm", "--message", "hello", "--json")
	var s client.WalletSignature
	if err := json.Unmarshal([]byte(out), &s); err != nil || code != 0 {
		t.Fatalf("exit %d: %s %s", code, out, stderr)
	}
	sig, _ := hex.DecodeString(strings.TrimPrefix(s.Signature, "0x"))
	if who, err := keys.RecoverEVM([]byte("hello"), [65]byte(sig)); err != nil || who != s.Address || s.Intent == 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, stderr, code = command(t, "wallet", "sign", url, "--data", data, "--chain", "solana", "--message", "\x01\x00"); code != 2 || !strings.Contains(stderr, "transaction") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	t.Setenv("TEAPOT_TOKEN", "wrong")
	if _, stderr, code = command(t, "wallet", "sign", url, "--chain", "evm", "--message", "hello"); code != 2 || !strings.Contains(stderr, "token") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestTokenStaysOnThisMachine(t *testing.T) {
	t.Setenv("TEAPOT_TOKEN", "secret")
	c, err := client.New("http://192.0.2.1:3000", client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.SignMessage(t.Context(), walletAgent, "evm", "x"); err == nil || !strings.Contains(err.Error(), "stays here") {
		t.Errorf("the token went out: %v", err)
	}
}

func TestWalletOffline(t *testing.T) {
	dir := t.TempDir()
	s, err := sim.New(sim.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := attest.Claim(dir, s); err != nil {
		t.Fatal(err)
	}
	line := []string{"--offline", "--data", dir, "--agent", walletAgent}
	out, stderr, code := command(t, append([]string{"wallet", "sign", "--chain", "solana", "--message", "hi", "--json"}, line...)...)
	var signed client.WalletSignature
	if err := json.Unmarshal([]byte(out), &signed); err != nil || code != 0 || !strings.Contains(stderr, "SIMULATED") {
		t.Fatalf("exit %d: %s %s", code, out, stderr)
	}
	sig, _ := hex.DecodeString(strings.TrimPrefix(signed.Signature, "0x"))
	if !keys.VerifySolana(signed.Address, []byte("hi"), sig) {
		t.Error("the signature does not verify")
	}
	if out, _, code = command(t, append([]string{"wallet", "show", "--json"}, line...)...); code != 0 || !strings.Contains(out, signed.Address) {
		t.Errorf("exit %d: %s", code, out)
	}
	if out, _, code = command(t, append([]string{"wallet", "show", "--derivation", "eliza/0.1.9", "--salt", "secret_salt"}, line...)...); code != 0 || !strings.Contains(out, "WEAK:") {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestWalletBadInput(t *testing.T) {
	t.Setenv("TEAPOT_TOKEN", "")
	real := t.TempDir()
	if err := os.WriteFile(filepath.Join(real, attest.RecordName), []byte(`{"type":"teapot/platform/v1","platform":"dstack-tdx","derivation":"d"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		line []string
		code int
	}{
		"no chain":              {[]string{"wallet", "sign", "--message", "x"}, 64},
		"no message":            {[]string{"wallet", "sign", "--chain", "evm"}, 64},
		"two messages":          {[]string{"wallet", "sign", "--chain", "evm", "--message", "x", "--file", "y"}, 64},
		"no token":              {[]string{"wallet", "sign", "--chain", "evm", "--message", "x", "--data", t.TempDir()}, 2},
		"no address":            {[]string{"wallet", "show", "nowhere"}, 64},
		"offline, real":         {[]string{"wallet", "show", "--offline", "--data", real}, 2},
		"offline, sign, real":   {[]string{"wallet", "sign", "--offline", "--data", real, "--chain", "evm", "--message", "x"}, 2},
		"offline, empty":        {[]string{"wallet", "show", "--offline", "--data", t.TempDir()}, 2},
		"offline, transaction":  {[]string{"wallet", "sign", "--offline", "--data", t.TempDir(), "--chain", "evm", "--message", "\x01"}, 1},
		"unknown flag":          {[]string{"wallet", "show", "--x"}, 64},
		"unknown subcommand":    {[]string{"wallet", "steal"}, 64},
		"offline, no such file": {[]string{"wallet", "sign", "--chain", "evm", "--file", "/nonexistent"}, 2},
	} {
		_, stderr, code := command(t, c.line...)
		if code != c.code || !strings.HasPrefix(stderr, "teapot: error: ") {
			t.Errorf("%s: exit %d, %q", name, code, stderr)
		}
	}
}
