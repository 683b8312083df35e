// Package dstacksdk runs the published Go SDK of dstack (v0.1.0, packages dstack and tappd) against the guest API over the
// simulator, over TCP and over a unix socket. It has only tests.
package dstacksdk

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"net"
	"path/filepath"
	"testing"

	"github.com/Dstack-TEE/dstack/sdk/go/dstack"
	"github.com/Dstack-TEE/dstack/sdk/go/tappd"

	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/guestapi"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// serve serves the simulator on TCP and on a socket.
func serve(t *testing.T) (endpoints map[string]string, simulator *sim.Simulator) {
	t.Helper()
	t.Setenv("DSTACK_SIMULATOR_ENDPOINT", "")
	t.Setenv("TAPPD_SIMULATOR_ENDPOINT", "")
	simulator, err := sim.New(sim.Options{})
	must(t, err)
	ca, err := guestapi.SelfSignedCA(simulator.CAKey(), "Teapot SIMULATED")
	must(t, err)
	root, link := simulator.AppRoot()
	keys, err := guestapi.NewRoot(root, link, ca)
	must(t, err)
	server, err := guestapi.New(guestapi.Options{Attester: simulator, Keys: keys, Policy: guestapi.AllowEverything(), Simulated: true})
	must(t, err)
	socket := filepath.Join(t.TempDir(), "dstack.sock")
	unix, err := guestapi.ListenUnix(socket, 0o777)
	must(t, err)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	for _, ln := range []net.Listener{unix, tcp} {
		go func() { _ = guestapi.Serve(ctx, ln, server, guestapi.Limits{}) }()
	}
	return map[string]string{"unix": socket, "tcp": "http://" + tcp.Addr().String()}, simulator
}

func TestDstackPackage(t *testing.T) {
	endpoints, simulator := serve(t)
	for name, endpoint := range endpoints {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			c := dstack.NewDstackClient(dstack.WithEndpoint(endpoint))
			if !c.IsReachable(ctx) {
				t.Fatal("not reachable")
			}
			for _, algorithm := range []string{"secp256k1", "ed25519"} {
				key, err := c.GetKey(ctx, "a/b", "sign", algorithm)
				must(t, err)
				want, err := simulator.Key(ctx, "a/b")
				must(t, err)
				if key.Key != hex.EncodeToString(want.Secret[:]) || len(key.SignatureChain) != 2 {
					t.Errorf("%s: key %s, chain of %d", algorithm, key.Key, len(key.SignatureChain))
				}
			}
			tls, err := c.GetTlsKey(ctx, dstack.WithSubject("s"), dstack.WithAltNames([]string{"x.com"}), dstack.WithUsageRaTls(true), dstack.WithAppInfo(true))
			must(t, err)
			if scalar, err := tls.AsUint8Array(); err != nil || len(scalar) != 32 || len(tls.CertificateChain) < 2 {
				t.Errorf("TLS key: %d bytes, %v", len(scalar), err)
			}
			checkQuote(ctx, t, c)
			must(t, c.EmitEvent(ctx, "event-"+name, []byte("payload")))
			checkQuote(ctx, t, c)
			info, err := c.Info(ctx)
			must(t, err)
			tcb, err := info.DecodeTcbInfo()
			must(t, err)
			if len(info.AppID) != 40 || tcb.AppCompose != string(sim.DefaultAppCompose()) || len(tcb.EventLog) < 10 {
				t.Errorf("info %+v", info)
			}
			attestation, err := c.Attest(ctx, []byte("hello"))
			must(t, err)
			version, err := c.GetVersion(ctx)
			must(t, err)
			if attestation.Attestation[0] != 0 || version.Version == "" {
				t.Errorf("attestation %x…, version %+v", attestation.Attestation[:4], version)
			}
			signed, err := c.Sign(ctx, "secp256k1", []byte("data"))
			must(t, err)
			verified, err := c.Verify(ctx, "secp256k1", []byte("data"), signed.Signature, signed.PublicKey)
			must(t, err)
			if !verified.Valid {
				t.Error("own signature is not valid")
			}
			if _, err := c.GetQuote(ctx, []byte("TEAPOT\x00\x01")); err == nil {
				t.Error("a quote over Teapot's tag")
			}
		})
	}
}

func checkQuote(ctx context.Context, t *testing.T, c *dstack.DstackClient) {
	t.Helper()
	quote, err := c.GetQuote(ctx, []byte("hello"))
	must(t, err)
	raw, err := quote.DecodeQuote()
	must(t, err)
	if want := append([]byte("hello"), make([]byte, 59)...); !bytes.Equal(raw[568:632], want) || quote.ReportData != hex.EncodeToString(want) {
		t.Errorf("report data %x", raw[568:632])
	}
	rtmrs, err := quote.ReplayRTMRs()
	must(t, err)
	compareRegisters(t, raw, rtmrs)
}

func compareRegisters(t *testing.T, raw []byte, rtmrs map[int]string) {
	t.Helper()
	for i := range 4 {
		if want := hex.EncodeToString(raw[376+48*i : 424+48*i]); rtmrs[i] != want {
			t.Errorf("RTMR%d replays to %s, the quote has %s", i, rtmrs[i], want)
		}
	}
}

func TestTappdPackage(t *testing.T) {
	endpoints, simulator := serve(t)
	for name, endpoint := range endpoints {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			c := tappd.NewTappdClient(tappd.WithEndpoint(endpoint))
			key, err := c.DeriveKey(ctx, "/p")
			must(t, err)
			got, err := key.ToBytes(138)
			must(t, err)
			want, err := simulator.DeriveKey(ctx, "/p", "")
			must(t, err)
			if !bytes.Equal(got, want) {
				t.Errorf("DER %x, want %x", got, want)
			}
			quote, err := c.TdxQuote(ctx, []byte("hello"))
			must(t, err)
			raw, err := hex.DecodeString(quote.Quote)
			must(t, err)
			if sum := sha512.Sum512([]byte("app-data:hello")); !bytes.Equal(raw[568:632], sum[:]) {
				t.Errorf("report data %x", raw[568:632])
			}
			rtmrs, err := quote.ReplayRTMRs()
			must(t, err)
			compareRegisters(t, raw, rtmrs)
			quote, err = c.TdxQuoteWithHashAlgorithm(ctx, bytes.Repeat([]byte{7}, 64), tappd.RAW)
			must(t, err)
			raw, err = hex.DecodeString(quote.Quote)
			must(t, err)
			if !bytes.Equal(raw[568:632], bytes.Repeat([]byte{7}, 64)) {
				t.Errorf("raw report data %x", raw[568:632])
			}
			info, err := c.Info(ctx)
			must(t, err)
			if text, err := json.Marshal(info); err != nil || !bytes.Contains(text, []byte("teapot-simulated")) {
				t.Errorf("info %s %v", text, err)
			}
		})
	}
}
