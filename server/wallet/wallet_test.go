package wallet

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/keys"
	"github.com/teapot-tee/teapot/keys/wallets"
	"github.com/teapot-tee/teapot/server/access"
	"github.com/teapot-tee/teapot/tlog"
)

const agentID = "b850bc30-45f8-0041-a00a-83df46d8555d"

// memoryLog keeps entries; broken makes the n-th append fail.
type memoryLog struct {
	entries []actionlog.Entry
	broken  int
}

func (l *memoryLog) Append(_ context.Context, e ...actionlog.Entry) ([]actionlog.Proof, error) {
	l.entries = append(l.entries, e...)
	if len(l.entries) == l.broken {
		return nil, errors.New("disk full")
	}
	return []actionlog.Proof{{Index: uint64(len(l.entries) - 1)}}, nil
}

func serve(t *testing.T) (url string, log *memoryLog, opened []*wallets.Wallet) {
	t.Helper()
	s, err := sim.New(sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if opened, err = wallets.Open(t.Context(), s, wallets.Options{Agent: agentID}); err != nil {
		t.Fatal(err)
	}
	log = &memoryLog{}
	mux := http.NewServeMux()
	Routes{
		Agent: func(id string) (Owner, bool) { return Owner{opened, log}, id == agentID },
		Token: access.NewToken("secret"),
	}.Register(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/v1/agents/" + agentID + "/wallets", log, opened
}

func post(t *testing.T, url, token, body string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, raw
}

func TestSignaturesPassTheGate(t *testing.T) {
	url, log, opened := serve(t)
	for i, w := range opened {
		status, raw := post(t, url+"/sign", "secret", `{"chain":"`+w.Chain+`","message":"hello"}`)
		var s Signature
		if err := json.Unmarshal(raw, &s); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s %v", status, raw, err)
		}
		sig, _ := hex.DecodeString(strings.TrimPrefix(s.Signature, "0x"))
		good := w.Chain == wallets.SolanaChain && keys.VerifySolana(s.Address, []byte("hello"), sig)
		if w.Chain == wallets.EVMChain {
			who, err := keys.RecoverEVM([]byte("hello"), [65]byte(sig))
			good = err == nil && who == s.Address
		}
		if !good || s.Address != w.Address {
			t.Errorf("%s: signature %s does not verify", w.Chain, s.Signature)
		}
		in, out := log.entries[2*i], log.entries[2*i+1]
		if in.Type != tlog.TypeIntent || out.Type != tlog.TypeResult || len(out.Cause) != 1 || out.Cause[0] != s.Intent || s.Result != s.Intent+1 {
			t.Errorf("entries %+v %+v", in, out)
		}
		if bytes.Contains(in.Content, []byte("hello")) || bytes.Contains(out.Content, []byte(s.Signature[2:])) {
			t.Error("message or signature stand in an entry that can never be erased")
		}
	}
}

func TestNothingIsSignedWithoutTheLog(t *testing.T) {
	for broken := 1; broken <= 2; broken++ {
		url, log, _ := serve(t)
		log.broken = broken
		if status, raw := post(t, url+"/sign", "secret", `{"chain":"evm","message":"x"}`); status != http.StatusServiceUnavailable || bytes.Contains(raw, []byte("0x")) {
			t.Errorf("append %d failed: %d %s", broken, status, raw)
		}
	}
}

func TestRefusals(t *testing.T) {
	url, log, _ := serve(t)
	for name, c := range map[string]struct {
		token, body string
		status      int
	}{
		"no token":          {"", `{"chain":"evm","message":"x"}`, 401},
		"wrong token":       {"no", `{"chain":"evm","message":"x"}`, 401},
		"not JSON":          {"secret", `x`, 400},
		"unknown member":    {"secret", `{"chain":"evm","message":"x","raw":true}`, 400},
		"too large":         {"secret", `{"chain":"evm","message":"` + strings.Repeat("x", 70<<10) + `"}`, 400},
		"long message":      {"secret", `{"chain":"evm","message":"` + strings.Repeat("x", 17<<10) + `"}`, 422},
		"no such chain":     {"secret", `{"chain":"btc","message":"x"}`, 422},
		"empty":             {"secret", `{"chain":"evm","message":""}`, 422},
		"control character": {"secret", `{"chain":"solana","message":"\u0001\u0000"}`, 422},
		"later control":     {"secret", `{"chain":"solana","message":"a\u0000"}`, 422},
	} {
		if status, raw := post(t, url+"/sign", c.token, c.body); status != c.status || !bytes.Contains(raw, []byte(`"next"`)) {
			t.Errorf("%s: %d %s", name, status, raw)
		}
	}
	for i, e := range log.entries {
		if e.Type == tlog.TypeIntent && (i+1 >= len(log.entries) || log.entries[i+1].Type != tlog.TypeResult || bytes.Contains(log.entries[i+1].Content, []byte(`"ok":true`))) {
			t.Errorf("intent %d has no refusing result", i)
		}
	}
}

func TestATransactionIsNoText(t *testing.T) {
	legacy := "\x01\x00\x01\x03" + strings.Repeat("a", 32*4)
	versioned := "\x80\x01\x00\x01" + strings.Repeat("a", 32*4)
	for _, bad := range []string{legacy, versioned, "\n" + legacy, "\xff", ""} {
		if Textual(bad) == nil {
			t.Errorf("%.10q would be signed", bad)
		}
	}
	for _, good := range []string{"I am Eliza", "登录\nnonce: 5\t🙂"} {
		if err := Textual(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func TestList(t *testing.T) {
	url, _, opened := serve(t)
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Agent   string
		Wallets []Line
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || len(answer.Wallets) != 2 || answer.Wallets[0].Address != opened[0].Address || len(answer.Wallets[0].KeyChain) != 2 {
		t.Errorf("%+v, %v", answer, err)
	}
	other, err := http.Get(strings.Replace(url, agentID, "other", 1))
	if err != nil {
		t.Fatal(err)
	}
	other.Body.Close()
	if other.StatusCode != http.StatusNotFound {
		t.Errorf("unknown agent: %d", other.StatusCode)
	}
}
