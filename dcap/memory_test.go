package dcap_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap"
)

// TestMemoryIsBoundedByTheInput feeds large hostile inputs: no more than a few times their size is allocated.
func TestMemoryIsBoundedByTheInput(t *testing.T) {
	const size = 4 << 20
	good, err := authority(t).Documents(pki.TDX, simNow)
	if err != nil {
		t.Fatal(err)
	}
	quote := simulated(t)["tdx v4"]
	judge := func(c dcap.Collateral) func() {
		return func() {
			var v dcap.Verifier
			if r, err := v.Verify(quote, &c, dcap.Options{Root: authority(t).RootDER(), At: simNow}); err != nil || r.Accepted {
				t.Errorf("accepted, %v", err)
			}
		}
	}
	levels := strings.Repeat(`{"tcb":{"isvsvn":1},"tcbDate":"2026-01-01T00:00:00Z","tcbStatus":"UpToDate"},`, size/80)
	for name, f := range map[string]func(){
		"trailing bytes":      func() { _, _ = dcap.Parse(append(quote, make([]byte, size)...)) },
		"sizes of the lie":    func() { _, _ = dcap.Parse(append(quote[:632:632], 0xff, 0xff, 0xff, 0xff)) },
		"escapes":             func() { _, _ = dcap.ParseCollateral([]byte(`{"tcb_info":"` + strings.Repeat(`\n`, size/2) + `"}`)) },
		"many members":        func() { _, _ = dcap.ParseCollateral([]byte(`{"a":1` + strings.Repeat(`,"a":1`, size/6) + `}`)) },
		"deep":                func() { _, _ = dcap.ParseCollateral([]byte(strings.Repeat("[", size))) },
		"many levels":         judge(dcap.Collateral{TCBInfo: good.TCBInfo, QEIdentity: strings.Replace(good.QEIdentity, `"tcbLevels":[`, `"tcbLevels":[`+levels, 1)}),
		"a long list":         judge(dcap.Collateral{PCKCRL: good.PCKCRL + strings.Repeat("00", size/2)}),
		"many certificates":   judge(dcap.Collateral{TCBInfoIssuerChain: strings.Repeat(good.TCBInfoIssuerChain, size/len(good.TCBInfoIssuerChain))}),
		"PEM of nothing":      judge(dcap.Collateral{TCBInfoIssuerChain: "-----BEGIN CERTIFICATE-----" + strings.Repeat("A", size) + "-----END CERTIFICATE-----"}),
		"text without an end": judge(dcap.Collateral{TCBInfoIssuerChain: strings.Repeat("-----BEGIN CERTIFICATE-----", size/27)}),
	} {
		if n := allocated(f); n > 12*size {
			t.Errorf("%s: %d bytes for %d", name, n, size)
		}
	}
}

// allocated is what f allocates in all, its input included where f makes it.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
