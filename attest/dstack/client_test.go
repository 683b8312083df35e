package dstack_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/dstack"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/eventlog"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/guestapi"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// agent is a guest API that has only the given paths, as an older or newer agent would.
func agent(t *testing.T, paths ...string) (*httptest.Server, *sim.Simulator) {
	t.Helper()
	simulator, err := sim.New(sim.Options{Seed: []byte("0123456789abcdef")})
	must(t, err)
	ca, err := guestapi.SelfSignedCA(simulator.CAKey(), "test")
	must(t, err)
	root, link := simulator.AppRoot()
	keys, err := guestapi.NewRoot(root, link, ca)
	must(t, err)
	server, err := guestapi.New(guestapi.Options{Attester: simulator, Keys: keys, Policy: guestapi.AllowEverything(), Version: "0.5.7"})
	must(t, err)
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(paths, r.URL.Path) {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error": "method Not Found"}`)
			return
		}
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(ts.Close)
	return ts, simulator
}

func tappd031() []string { return []string{"/prpc/Tappd.DeriveKey", "/prpc/Tappd.TdxQuote"} }
func tappd034() []string { return append(tappd031(), "/prpc/Tappd.RawQuote", "/prpc/Tappd.Info") }
func guest050() []string {
	return []string{"/GetTlsKey", "/GetKey", "/GetQuote", "/Info", "/EmitEvent"}
}
func guest057() []string { return append(guest050(), "/Attest", "/Sign", "/Verify", "/Version") }
func guestV1() []string {
	return []string{"/v1/GetKey", "/v1/IssueCert", "/v1/Attest", "/v1/Info", "/v1/Version"}
}

// TestEveryVersion: the same questions to each generation of agents; only derivation and chain differ.
func TestEveryVersion(t *testing.T) {
	for name, v := range map[string]struct {
		paths      []string
		derivation string
		chain      int // links of an ed25519 key
	}{
		"tappd 0.3.1":        {tappd031(), dstack.DerivationTappd, 2},
		"tappd 0.3.4":        {tappd034(), dstack.DerivationTappd, 2},
		"tappd socket 0.4":   {append(tappd034(), "/prpc/Tappd.DeriveK256Key"), dstack.DerivationV0, 0},
		"guest agent 0.5.0":  {guest050(), dstack.DerivationV0, 0},
		"guest agent 0.5.7":  {guest057(), dstack.DerivationV0, 2},
		"guest agent 0.6":    {append(guest057(), guestV1()...), dstack.DerivationV1, 2},
		"v1 and nothing old": {guestV1(), dstack.DerivationV1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			ts, simulator := agent(t, v.paths...)
			c, err := dstack.Open(t.Context(), dstack.Options{Endpoint: ts.URL, AppCompose: sim.DefaultAppCompose()})
			must(t, err)
			defer c.Close()
			if c.Derivation() != v.derivation || c.Platform() != "dstack-tdx" {
				t.Errorf("derivation %q, want %q", c.Derivation(), v.derivation)
			}
			reportData := [64]byte{1, 2, 3, 63: 9}
			q, err := c.Quote(t.Context(), reportData)
			must(t, err)
			events, err := eventlog.Parse(q.EventLog)
			must(t, err)
			if rtmr := eventlog.Replay(events); [64]byte(q.Raw[568:632]) != reportData || rtmr[3] != [48]byte(q.Raw[520:568]) {
				t.Error("quote or event log are not what was asked for")
			}
			info, err := c.Info(t.Context())
			must(t, err)
			want, err := simulator.Info(t.Context())
			must(t, err)
			if info.AppID != want.AppID || info.ComposeHash != want.ComposeHash || string(info.AppCompose) != string(want.AppCompose) {
				t.Errorf("info %+v", info)
			}
			key, err := c.Key(t.Context(), "teapotx/wallet/a/ed25519")
			must(t, err)
			again, err := c.Key(t.Context(), "teapotx/wallet/a/ed25519")
			must(t, err)
			other, err := c.Key(t.Context(), "teapotx/wallet/b/ed25519")
			must(t, err)
			if key.Secret != again.Secret || key.Secret == other.Secret || len(key.Chain) != v.chain {
				t.Errorf("keys: chain of %d links, want %d", len(key.Chain), v.chain)
			}
			if c.Custody() != evidence.Operator {
				t.Errorf("custody of a simulator: %s", c.Custody())
			}
		})
	}
}

// TestOneDerivationOnBothSockets: the same path gives the same key through dstack.sock and through tappd.sock of a 0.4 guest.
func TestOneDerivationOnBothSockets(t *testing.T) {
	var secrets [][32]byte
	for _, paths := range [][]string{guest050(), append(tappd034(), "/prpc/Tappd.DeriveK256Key")} {
		ts, _ := agent(t, paths...)
		c, err := dstack.Open(t.Context(), dstack.Options{Endpoint: ts.URL, Derivation: dstack.DerivationV0})
		must(t, err)
		key, err := c.Key(t.Context(), "a/secp256k1")
		must(t, err)
		if len(key.Chain) != 2 {
			t.Errorf("chain of %d", len(key.Chain))
		}
		secrets = append(secrets, key.Secret)
		must(t, c.Close())
	}
	if secrets[0] != secrets[1] {
		t.Error("two sockets, two keys")
	}
}

// TestDeriveKey: Eliza's wallets come out of dstack.sock, too, which has no Tappd.DeriveKey.
func TestDeriveKey(t *testing.T) {
	for name, paths := range map[string][]string{"tappd": tappd034(), "dstack.sock 0.5.0": guest050(), "dstack.sock 0.6": append(guest057(), guestV1()...)} {
		ts, simulator := agent(t, paths...)
		c, err := dstack.Open(t.Context(), dstack.Options{Endpoint: ts.URL})
		must(t, err)
		got, err := c.DeriveKey(t.Context(), "/", "salt")
		must(t, err)
		want, err := simulator.DeriveKey(t.Context(), "/", "salt")
		must(t, err)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %x, want %x", name, got, want)
		}
		must(t, c.Close())
	}
	ts, _ := agent(t, guestV1()...)
	c, err := dstack.Open(t.Context(), dstack.Options{Endpoint: ts.URL})
	must(t, err)
	defer c.Close()
	if _, err := c.DeriveKey(t.Context(), "/", "salt"); err == nil {
		t.Error("a v1-only agent derives v0 keys")
	}
}

// TestRecordedDerivation: an upgrade of the platform never changes keys silently.
func TestRecordedDerivation(t *testing.T) {
	ts, _ := agent(t, append(guest057(), guestV1()...)...)
	old, err := dstack.Open(t.Context(), dstack.Options{Endpoint: ts.URL, Derivation: dstack.DerivationV0})
	must(t, err)
	defer old.Close()
	current, err := dstack.Open(t.Context(), dstack.Options{Endpoint: ts.URL})
	must(t, err)
	defer current.Close()
	a, err := old.Key(t.Context(), "p/ed25519")
	must(t, err)
	b, err := current.Key(t.Context(), "p/ed25519")
	must(t, err)
	if a.Secret == b.Secret || old.Derivation() != dstack.DerivationV0 {
		t.Error("v0 and v1 derive alike")
	}
	for _, gone := range []string{dstack.DerivationTappd, "something else"} {
		if _, err := dstack.Open(t.Context(), dstack.Options{Endpoint: ts.URL, Derivation: gone}); err == nil || !strings.Contains(err.Error(), "keys would differ") {
			t.Errorf("%q: %v", gone, err)
		}
	}
}

// TestDishonestAgents: quotes over other report data, errors, broken answers.
func TestDishonestAgents(t *testing.T) {
	tdx := make([]byte, 5006)
	tdx[0], tdx[4] = 4, 0x81
	sgx := make([]byte, 4600)
	sgx[0] = 3
	for name, v := range map[string]struct{ answer, want string }{
		"other report data": {`{"quote":"` + hex.EncodeToString(tdx) + `","event_log":"[]"}`, "asked for"},
		"not TDX":           {`{"quote":"` + hex.EncodeToString(sgx) + `"}`, "not a TDX quote"},
		"too short":         {`{"quote":"0400"}`, "TDX quote has more than"},
		"refusal":           {`{"error":"no quote today"}`, "no quote today"},
		"not JSON":          {`<html>`, "not JSON"},
		"odd hex":           {`{"quote":"123"}`, "bytes field"},
		"log is not JSON":   {`{"quote":"","event_log":"["}`, "event log is not JSON"},
	} {
		ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/Info":
				fmt.Fprint(w, `{"app_id":""}`)
			case "/GetQuote":
				fmt.Fprint(w, v.answer)
			default:
				w.WriteHeader(http.StatusBadRequest)
			}
		}))
		c, err := dstack.Open(t.Context(), dstack.Options{Endpoint: ts.URL})
		must(t, err)
		if _, err := c.Quote(t.Context(), [64]byte{1}); err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: %v, want %q", name, err, v.want)
		}
		if _, err := c.Info(t.Context()); err == nil || !strings.Contains(err.Error(), "is empty") {
			t.Errorf("silent failure of Info: %v", err)
		}
		must(t, c.Close())
		ts.Close()
	}
}

func TestWrongAppCompose(t *testing.T) {
	ts, _ := agent(t, tappd031()...)
	for want, file := range map[string][]byte{"supply the exact file": nil, "not the file that was deployed": []byte(`{"name":"other"}`)} {
		c, err := dstack.Open(t.Context(), dstack.Options{Endpoint: ts.URL, AppCompose: file})
		must(t, err)
		if _, err := c.Info(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		must(t, c.Close())
	}
}

func TestSocketMistakes(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	dead := filepath.Join(dir, "dead.sock")
	ln, err := net.Listen("unix", dead)
	must(t, err)
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	must(t, ln.Close())
	silent, err := net.Listen("unix", filepath.Join(dir, "silent.sock"))
	must(t, err)
	defer silent.Close()
	for endpoint, want := range map[string]string{
		filepath.Join(dir, "none"): "is not there",
		dir:                        "is a directory, not a socket",
		file:                       "is not a socket",
		dead:                       "nobody serves",
		silent.Addr().String():     "did not answer",
		"http://127.0.0.1:1":       "nobody serves",
		"http://":                  "neither a URL nor a socket path",
	} {
		_, err := dstack.Open(t.Context(), dstack.Options{Endpoint: endpoint, Timeout: 200 * time.Millisecond})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", endpoint, err, want)
		}
	}
}

// TestNotAnAgent: some web server is not mistaken for a guest agent.
func TestNotAnAgent(t *testing.T) {
	ts := httptest.NewServer(http.NotFoundHandler())
	defer ts.Close()
	if _, err := dstack.Open(t.Context(), dstack.Options{Endpoint: ts.URL}); err == nil || !strings.Contains(err.Error(), "speaks neither") {
		t.Error(err)
	}
}

// TestRetries: connections that break are tried again where that is harmless; EmitEvent is not.
func TestRetries(t *testing.T) {
	ts, _ := agent(t, guest057()...)
	var calls atomic.Int32
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := calls.Add(1); n%2 == 1 {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.Close()
			}
			return
		}
		ts.Config.Handler.ServeHTTP(w, r)
	}))
	defer broken.Close()
	c, err := dstack.Open(t.Context(), dstack.Options{Endpoint: broken.URL})
	must(t, err)
	defer c.Close()
	_, err = c.Quote(t.Context(), [64]byte{1})
	must(t, err)
	calls.Store(0)
	if err := c.EmitEvent(t.Context(), "once", nil); err == nil || calls.Load() != 1 {
		t.Errorf("EmitEvent on a broken connection: %v after %d calls", err, calls.Load())
	}
	must(t, c.EmitEvent(t.Context(), "twice", []byte("payload")))
}

// TestManyQuotesAtOnce over a unix socket: each caller gets its own.
func TestManyQuotesAtOnce(t *testing.T) {
	ts, _ := agent(t, append(guest057(), guestV1()...)...)
	path := filepath.Join(t.TempDir(), "a.sock")
	ln, err := guestapi.ListenUnix(path, 0o777)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- guestapi.Serve(ctx, ln, ts.Config.Handler, guestapi.Limits{}) }()
	defer func() {
		cancel()
		must(t, <-served)
	}()
	c, err := dstack.Open(t.Context(), dstack.Options{Endpoint: "unix:" + path})
	must(t, err)
	defer c.Close()
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			if _, err := c.Quote(t.Context(), [64]byte{byte(i), byte(i >> 8), 7}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestCustody(t *testing.T) {
	compose := strings.Repeat("ab", 32)
	for name, v := range map[string]struct{ provider, appID, want string }{
		"content-addressed": {`{"name":"kms","id":"3059aa"}`, compose[:40], "kms:3059aa," + compose[:40] + ",nobody"},
		"contract":          {`{"name":"kms","id":"3059aa"}`, strings.Repeat("cd", 20), "kms:3059aa," + strings.Repeat("cd", 20) + ",owner of the app id"},
		"local":             {`{"name":"local-sgx","id":"00"}`, compose[:40], "local-provider"},
		"none":              {`{"name":"none","id":""}`, compose[:40], "operator"},
		"tpm":               {`{"name":"tpm","id":""}`, compose[:40], "operator"},
		"silent":            {``, compose[:40], "operator"},
	} {
		ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/Info" {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			_ = json.NewEncoder(w).Encode(map[string]string{"app_id": v.appID, "compose_hash": compose, "key_provider_info": v.provider})
		}))
		c, err := dstack.Open(t.Context(), dstack.Options{Endpoint: ts.URL})
		must(t, err)
		if string(c.Custody()) != v.want {
			t.Errorf("%s: %s, want %s", name, c.Custody(), v.want)
		}
		must(t, c.Close())
		ts.Close()
	}
}
