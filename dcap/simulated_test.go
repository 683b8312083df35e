package dcap_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap"
)

var simNow = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

func authority(t testing.TB) *pki.Authority {
	t.Helper()
	a, err := pki.New(pki.Options{Seed: bytes.Repeat([]byte{7}, 32), Now: simNow})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// simulated is one good quote of every version and body type.
func simulated(t testing.TB) map[string][]byte {
	t.Helper()
	a := authority(t)
	enclave := pki.EnclaveReport{CPUSVN: a.Platform().CPUSVN}
	out := map[string][]byte{}
	for name, s := range map[string]pki.Spec{
		"sgx v3":        {Version: 3, Body: enclave.Bytes()},
		"sgx v4":        {Version: 4, Body: enclave.Bytes()},
		"sgx v5":        {Version: 5, Body: enclave.Bytes()},
		"tdx v4":        {Version: 4, TEE: pki.TDX, Body: pki.TDReport{}.Bytes10()},
		"tdx v5 body 2": {Version: 5, TEE: pki.TDX, Body: pki.TDReport{}.Bytes10()},
		"tdx v5 body 3": {Version: 5, TEE: pki.TDX, Body: pki.TDReport{}.Bytes15()},
		"tdx v5 body 4": {Version: 5, TEE: pki.TDX, Body: pki.TDReport{}.Bytes15Extended()},
	} {
		q, err := a.Quote(s)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = q
	}
	return out
}

func TestSimulatedQuotesVerify(t *testing.T) {
	a := authority(t)
	var v dcap.Verifier
	for name, quote := range simulated(t) {
		tee := pki.TDX
		if name[:3] == "sgx" {
			tee = pki.SGX
		}
		raw, err := a.Collateral(tee, simNow)
		if err != nil {
			t.Fatal(err)
		}
		c, err := dcap.ParseCollateral(raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []dcap.Options{{Root: a.RootDER(), At: simNow}, {AllowSimulated: true, At: simNow}} {
			r, err := v.Verify(quote, c, o)
			if err != nil {
				t.Fatal(err)
			}
			if !r.Accepted || r.Status != dcap.UpToDate || !r.Simulated {
				t.Errorf("%s: accepted %v, status %s, simulated %v\n%s", name, r.Accepted, r.Status, r.Simulated, failures(r))
			}
		}
		r, err := v.Verify(quote, c, dcap.Options{At: simNow})
		if err != nil {
			t.Fatal(err)
		}
		if r.Accepted || r.Status != dcap.StatusNone || r.Class != dcap.ClassUntrustedRoot {
			t.Errorf("%s: accepted under Intel's root", name)
		}
	}
}
