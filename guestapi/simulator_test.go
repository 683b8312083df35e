package guestapi_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/eventlog"
	"github.com/teapot-tee/teapot/guestapi"
	"github.com/teapot-tee/teapot/keys/dstackkey"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// overSimulator serves the real simulator.
func overSimulator(t testing.TB) *guestapi.Server {
	t.Helper()
	simulator, err := sim.New(sim.Options{Seed: []byte("0123456789abcdef")})
	must(t, err)
	ca, err := guestapi.SelfSignedCA(simulator.CAKey(), "Teapot SIMULATED")
	must(t, err)
	root, link := simulator.AppRoot()
	keys, err := guestapi.NewRoot(root, link, ca)
	must(t, err)
	s, err := guestapi.New(guestapi.Options{Attester: simulator, Keys: keys, Policy: guestapi.AllowEverything(), Simulated: true})
	must(t, err)
	return s
}

// TestEventsAreSerialised: events and quotes at the same time; every quote's log replays to its registers (dstack issue 706).
func TestEventsAreSerialised(t *testing.T) {
	s := overSimulator(t)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if code, got := post(t, s, "/EmitEvent", fmt.Sprintf(`{"event":"e%d","payload":"%04x"}`, i, i)); code != 200 {
				t.Error(got)
			}
		})
		wg.Go(func() { checkReplay(t, s, "/GetQuote") })
		wg.Go(func() { checkReplay(t, s, "/prpc/Tappd.TdxQuote") })
	}
	wg.Wait()
	if n := checkReplay(t, s, "/GetQuote"); n < 58 {
		t.Errorf("log of %d events after 50 were emitted", n)
	}
}

func checkReplay(t *testing.T, s *guestapi.Server, path string) int {
	t.Helper()
	_, got := post(t, s, path, `{}`)
	raw, err := hex.DecodeString(got["quote"].(string))
	must(t, err)
	events, err := eventlog.Parse([]byte(got["event_log"].(string)))
	must(t, err)
	for i, register := range eventlog.Replay(events) {
		if !bytes.Equal(register[:], raw[376+48*i:424+48*i]) {
			t.Errorf("%s: RTMR%d does not replay", path, i)
		}
	}
	return len(events)
}

// TestInfoAgreesWithTheQuote: tcb_info carries the registers and the log of one moment.
func TestInfoAgreesWithTheQuote(t *testing.T) {
	_, got := post(t, overSimulator(t), "/Info", `{}`)
	var tcb struct {
		RTMR3    string          `json:"rtmr3"`
		EventLog json.RawMessage `json:"event_log"`
	}
	must(t, json.Unmarshal([]byte(got["tcb_info"].(string)), &tcb))
	events, err := eventlog.Parse(tcb.EventLog)
	must(t, err)
	if r := eventlog.Replay(events); hex.EncodeToString(r[3][:]) != tcb.RTMR3 {
		t.Error("rtmr3 does not replay")
	}
}

// TestChainEndsAtTheSimulatedKMS: both links of GetKey verify.
func TestChainEndsAtTheSimulatedKMS(t *testing.T) {
	simulator, err := sim.New(sim.Options{Seed: []byte("0123456789abcdef")})
	must(t, err)
	s := overSimulator(t)
	_, info := post(t, s, "/Info", `{}`)
	for _, v := range []struct {
		path, body string
		claim      func(public []byte) [32]byte
	}{
		{"/GetKey", `{"path":"a","purpose":"p"}`, func(public []byte) [32]byte { return dstackkey.ClaimV0("p", public) }},
		{"/v1/GetKey", `{"domain":"a","algorithm":"secp256k1"}`, func(public []byte) [32]byte { return dstackkey.ClaimV1("secp256k1", "a", public) }},
	} {
		_, got := post(t, s, v.path, v.body)
		public, err := dstackkey.Public([32]byte(unhex(t, got["key"].(string))), "secp256k1")
		must(t, err)
		var chain [][]byte
		for _, link := range got["signature_chain"].([]any) {
			chain = append(chain, unhex(t, link.(string)))
		}
		if err := dstackkey.VerifyChain(v.claim(public), chain, unhex(t, info["app_id"].(string)), simulator.KMSRoot()); err != nil {
			t.Errorf("%s: %v", v.path, err)
		}
	}
}

// withLogs is a guest of another kind: a firmware log instead of dstack's.
type withLogs struct {
	guest
	compose string
}

func (g *withLogs) Info(ctx context.Context) (attest.Info, error) {
	info, err := g.guest.Info(ctx)
	info.AppCompose = []byte(g.compose)
	return info, err
}

func (g *withLogs) Quote(ctx context.Context, reportData [64]byte) (attest.Quote, error) {
	q, err := g.guest.Quote(ctx, reportData)
	le := binary.LittleEndian
	spec := append([]byte("Spec ID Event03\x00"), 0, 0, 0, 0, 0, 2, 0, 2, 1, 0, 0, 0, 0x0c, 0, 48, 0, 0)
	log := append(le.AppendUint32([]byte{0, 0, 0, 0}, 3), make([]byte, 20)...)
	log = append(le.AppendUint32(log, uint32(len(spec))), spec...)
	log = append(le.AppendUint32(log, 2), 4, 0, 0, 0, 1, 0, 0, 0, 0x0c, 0) // register 1, separator
	q.CCEL = append(append(log, bytes.Repeat([]byte{7}, 48)...), 0, 0, 0, 0)
	return q, err
}

func TestFirmwareLogOfAPlainGuest(t *testing.T) {
	s, err := guestapi.New(guestapi.Options{Attester: &withLogs{}, Policy: guestapi.AllowEverything()})
	must(t, err)
	_, got := post(t, s, "/GetQuote", `{}`)
	events, err := eventlog.Parse([]byte(got["event_log"].(string)))
	must(t, err)
	if len(events) != 2 || events[0].IMR != 1 || events[1].Name != "boot-mr-done" {
		t.Errorf("log %v", got["event_log"])
	}
}

// TestHiddenTCBInfo: strangers on the Worker service do not see what public_tcbinfo hides; the guest itself does.
func TestHiddenTCBInfo(t *testing.T) {
	for compose, hidden := range map[string]bool{`{"public_tcbinfo":false}`: true, `{"public_tcbinfo":true}`: false, `{}`: false, ``: false, `not JSON`: true} {
		s, err := guestapi.New(guestapi.Options{Attester: &withLogs{compose: compose}, Policy: guestapi.AllowEverything()})
		must(t, err)
		_, worker := post(t, s, "/prpc/Worker.Info", `{}`)
		_, workerV1 := post(t, s, "/prpc/v1/Info", `{}`)
		_, inside := post(t, s, "/Info", `{}`)
		if (worker["tcb_info"] == "") != hidden || (worker["vm_config"] == "") != hidden || (workerV1["vm_config"] == "") != hidden {
			t.Errorf("%q: tcb_info %.20v, vm_config %v, v1 %v", compose, worker["tcb_info"], worker["vm_config"], workerV1["vm_config"])
		}
		if text := inside["tcb_info"].(string); !strings.Contains(text, "mrtd") {
			t.Errorf("%q: the guest itself sees %q", compose, text)
		}
	}
}
