package dcap_test

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/dcap"
)

// policyCase is a good world with something unusual, refused by the zero policy and accepted by another.
var policyCases = []struct {
	name   string
	fault  oneFault
	policy dcap.Policy
}{
	{"SGX debug", oneFault{tee: sgx, do: func(w *world) { w.enclave.Attributes = [16]byte{0x07, 8: 7} }}, dcap.Policy{Allow: dcap.AllowDebug}},
	{"TD debug", oneFault{tee: tdx, do: func(w *world) { w.td.TDAttributes[0] = 1 }}, dcap.Policy{Allow: dcap.AllowDebug}},
	{"TD profiled", oneFault{tee: tdx, do: func(w *world) { w.td.TDAttributes[0] = 1 << 5 }}, dcap.Policy{Allow: dcap.AllowTUD}},
	{"TD with a test bit of no meaning", oneFault{tee: tdx, do: func(w *world) { w.td.TDAttributes[0] = 1 << 2 }}, dcap.Policy{Allow: dcap.AllowTUD}},
	{"the same as a reserved bit", oneFault{tee: tdx, do: func(w *world) { w.td.TDAttributes[0] = 1 << 2 }}, dcap.Policy{Allow: dcap.AllowReservedAttributes}},
	{"migratable", oneFault{tee: tdx, do: func(w *world) { w.td.TDAttributes[3] = 1 << 5 }}, dcap.Policy{Allow: dcap.AllowMigratable}},
	{"reserved bit", oneFault{tee: tdx, do: func(w *world) { w.td.TDAttributes[1] = 1 }}, dcap.Policy{Allow: dcap.AllowReservedAttributes}},
	{"service TD", oneFault{tee: tdx, do: func(w *world) { w.td15(); w.td.MRServiceTD[47] = 1 }}, dcap.Policy{Allow: dcap.AllowServiceTD}},
	{"no SSE", oneFault{tee: tdx, do: func(w *world) { w.td.XFAM = [8]byte{1} }}, dcap.Policy{Allow: dcap.AllowXFAM}},
	{"unknown feature", oneFault{tee: tdx, do: func(w *world) { w.td.XFAM = [8]byte{3, 7: 0x80} }}, dcap.Policy{Allow: dcap.AllowXFAM}},
	{"SW hardening", oneFault{tee: sgx, do: func(w *world) { w.info.Levels[0].Status = "SWHardeningNeeded" }}, dcap.Policy{AcceptStatus: []dcap.Status{dcap.SWHardeningNeeded}}},
	{
		"an accepted advisory",
		oneFault{tee: sgx, do: func(w *world) {
			w.info.Levels[0].Status, w.info.Levels[0].Advisories = "SWHardeningNeeded", []string{"INTEL-SA-00334"}
		}},
		dcap.Policy{AcceptStatus: []dcap.Status{dcap.SWHardeningNeeded}, AcceptAdvisories: []string{"INTEL-SA-00001", "INTEL-SA-00334"}},
	},
	{
		"grace", oneFault{tee: tdx, do: func(w *world) {
			w.info.Levels[0].Status, w.info.Levels[0].Date = "OutOfDate", simNow.AddDate(0, 0, -30)
			w.info.ModuleIdentities[0].Levels[0].Date, w.identity.Levels[0].Date = simNow, simNow
		}}, dcap.Policy{GraceDays: 30},
	},
}

func TestPolicy(t *testing.T) {
	for _, c := range policyCases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.fault.tee)
			c.fault.do(w)
			if r := w.verify(); r.Accepted || r.Class != dcap.ClassPolicy || r.Status == dcap.StatusNone {
				t.Errorf("zero policy: accepted %v, class %s, status %s", r.Accepted, r.Class, r.Status)
			}
			w.options.Policy = c.policy
			if r := w.verify(); !r.Accepted {
				t.Errorf("refused although the policy allows it\n%s", failures(r))
			}
		})
	}
}

func TestPolicyRefuses(t *testing.T) {
	hardening := func(w *world) {
		w.info.Levels[0].Status, w.info.Levels[0].Advisories = "SWHardeningNeeded", []string{"INTEL-SA-00334"}
	}
	outOfDate := func(w *world) {
		w.info.Levels[0].Status, w.info.Levels[0].Date = "OutOfDate", simNow.AddDate(0, 0, -31)
	}
	for name, c := range map[string]struct {
		do     func(w *world)
		policy dcap.Policy
	}{
		"another advisory": {hardening, dcap.Policy{AcceptStatus: []dcap.Status{dcap.SWHardeningNeeded}, AcceptAdvisories: []string{"INTEL-SA-00001"}}},
		"no advisory":      {hardening, dcap.Policy{AcceptStatus: []dcap.Status{dcap.SWHardeningNeeded}, AcceptAdvisories: []string{}}},
		"grace is over":    {outOfDate, dcap.Policy{GraceDays: 30}},
		"revoked":          {func(w *world) { w.info.Levels[0].Status = "Revoked" }, dcap.Policy{AcceptStatus: []dcap.Status{dcap.Revoked}, GraceDays: 9999, Allow: 0xff}},
		"old collateral":   {func(*world) {}, dcap.Policy{MinEvaluation: 19}},
		"debug with every other allowance": {
			func(w *world) { w.enclave.Attributes = [16]byte{0x07, 8: 7} }, dcap.Policy{Allow: 0xff &^ dcap.AllowDebug},
		},
	} {
		w := newWorld(t, sgx)
		c.do(w)
		w.options.Policy = c.policy
		if r := w.verify(); r.Accepted {
			t.Errorf("%s: accepted as %s", name, r.Status)
		}
	}
}

func TestCannotJudge(t *testing.T) {
	var v dcap.Verifier
	quote := simulated(t)["tdx v4"]
	for name, f := range map[string]func() (*dcap.Report, error){
		"no time":       func() (*dcap.Report, error) { return v.Verify(quote, &dcap.Collateral{}, dcap.Options{}) },
		"no collateral": func() (*dcap.Report, error) { return v.Verify(quote, nil, dcap.Options{At: simNow}) },
		"no root": func() (*dcap.Report, error) {
			return v.Verify(quote, &dcap.Collateral{}, dcap.Options{At: simNow, Root: []byte("root")})
		},
		"a leaf as root": func() (*dcap.Report, error) {
			return v.Verify(quote, &dcap.Collateral{}, dcap.Options{At: simNow, Root: authority(t).PCK.DER})
		},
	} {
		if r, err := f(); err == nil || r != nil {
			t.Errorf("%s: judged", name)
		}
	}
	r, err := v.Verify(quote, &dcap.Collateral{}, dcap.Options{At: simNow, AllowSimulated: true})
	if err != nil || r.Accepted || r.Status != dcap.StatusNone {
		t.Error("accepted with empty collateral")
	}
}

// TestCacheNeverOutlivesWindows judges the same bytes at different times with one verifier.
func TestCacheNeverOutlivesWindows(t *testing.T) {
	g := goodQuotes(t)[0]
	var v dcap.Verifier
	for range 2 {
		for at, want := range map[time.Time]dcap.Class{
			simNow: "", simNow.AddDate(0, 2, 0): dcap.ClassExpired, simNow.AddDate(0, 0, -1): dcap.ClassNotYetValid,
		} {
			g.options.At = at
			r, err := v.Verify(g.quote, g.collateral, g.options)
			if err != nil || r.Class != want || r.Accepted != (want == "") {
				t.Errorf("at %s: class %q accepted %v, want %q", at, r.Class, r.Accepted, want)
			}
		}
	}
}

// TestCacheKeepsRootsApart warms a verifier under one root and asks under another.
func TestCacheKeepsRootsApart(t *testing.T) {
	g := goodQuotes(t)[0]
	var v dcap.Verifier
	for _, root := range [][]byte{g.options.Root, otherRoot(t), nil, g.options.Root} {
		r, err := v.Verify(g.quote, g.collateral, dcap.Options{Root: root, At: simNow})
		if err != nil || r.Accepted != bytes.Equal(root, g.options.Root) {
			t.Errorf("accepted %v, %v", r.Accepted, err)
		}
	}
}

// TestCollateralChangedInPlace changes a Collateral that the verifier knows.
func TestCollateralChangedInPlace(t *testing.T) {
	g := goodQuotes(t)[0]
	var v dcap.Verifier
	c := *g.collateral
	for _, info := range []string{c.TCBInfo, c.TCBInfo + " ", c.TCBInfo} {
		c.TCBInfo = info
		r, err := v.Verify(g.quote, &c, g.options)
		if err != nil || r.Accepted != (info == g.collateral.TCBInfo) {
			t.Errorf("accepted %v, %v", r.Accepted, err)
		}
	}
}

// TestSharedVerifier lets eight goroutines use one verifier on good and damaged quotes of every kind.
func TestSharedVerifier(t *testing.T) {
	quotes := goodQuotes(t)
	var v dcap.Verifier
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 60 {
				q := quotes[(i+g)%len(quotes)]
				raw, damaged := bytes.Clone(q.quote), i%3 == 0
				if damaged {
					raw[100] ^= 1
				}
				r, err := v.Verify(raw, q.collateral, q.options)
				if err != nil || damaged != (r.Status == dcap.StatusNone) {
					t.Errorf("%s: damaged %v, status %q, %v", q.name, damaged, r.Status, err)
				}
			}
		})
	}
	wg.Wait()
}
