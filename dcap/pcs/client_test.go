package pcs_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/dcap/pcs"
)

func sleeper(waits *[]time.Duration) func(context.Context, time.Duration) error {
	return func(ctx context.Context, d time.Duration) error {
		if waits != nil {
			*waits = append(*waits, d)
		}
		return ctx.Err()
	}
}

func (f *fake) quote(t *testing.T, s pki.Spec) []byte {
	t.Helper()
	q, err := f.authority.Quote(s)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func (f *fake) tdx(t *testing.T) []byte {
	return f.quote(t, pki.Spec{Version: 4, TEE: pki.TDX, Body: pki.TDReport{}.Bytes10()})
}

// judge verifies the quote with what the client delivers.
func judge(t *testing.T, c *pcs.Client, quote []byte) *dcap.Report {
	t.Helper()
	raw, err := c.Collateral(t.Context(), quote)
	if err != nil {
		t.Fatal(err)
	}
	collateral, err := dcap.ParseCollateral(raw)
	if err != nil {
		t.Fatal(err)
	}
	var v dcap.Verifier
	r, err := v.Verify(quote, collateral, dcap.Options{Root: c.Root, At: now})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFetchedCollateralVerifies(t *testing.T) {
	for name, kind := range map[string]struct{ pccs, plus bool }{
		"PCS": {false, false}, "PCCS": {true, false}, "PCCS with plus signs": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, kind.pccs)
			f.plus = kind.plus
			enclave := pki.EnclaveReport{CPUSVN: f.authority.Platform().CPUSVN}
			for tee, quote := range map[string][]byte{"TDX": f.tdx(t), "SGX": f.quote(t, pki.Spec{Version: 3, Body: enclave.Bytes()})} {
				if r := judge(t, f.client("", nil), quote); !r.Accepted {
					t.Errorf("%s: not accepted, class %s", tee, r.Class)
				}
			}
		})
	}
}

func TestPCKChainIsFetchedWhereTheQuoteHasNone(t *testing.T) {
	f := newFake(t, true)
	p := f.authority.Platform()
	data := append(make([]byte, 384), p.CPUSVN[:]...)
	data = append(data, byte(p.PCESVN), byte(p.PCESVN>>8), p.PCEID[0], p.PCEID[1])
	enclave := pki.EnclaveReport{CPUSVN: p.CPUSVN}
	quote := f.quote(t, pki.Spec{Version: 3, Body: enclave.Bytes(), CertType: 3, CertData: data})
	if r := judge(t, f.client("", nil), quote); !r.Accepted {
		t.Errorf("not accepted, class %s", r.Class)
	}
	if !strings.Contains(f.requests[0], "pcesvn=0d00") || !strings.Contains(f.requests[0], "qeid=54454150") {
		t.Errorf("asked %s", f.requests[0])
	}
}

func TestCacheIsUsedAndRenewed(t *testing.T) {
	f, dir := newFake(t, false), t.TempDir()
	quote := f.tdx(t)
	judge(t, f.client(dir, nil), quote)
	asked := len(f.requests)
	judge(t, f.client(dir, nil), quote)
	if len(f.requests) != asked {
		t.Error("fresh collateral was fetched again")
	}
	later := f.client(dir, nil)
	later.Now = func() time.Time { return now.Add(25 * time.Hour) }
	if _, err := later.Collateral(t.Context(), quote); err != nil || len(f.requests) != 2*asked {
		t.Errorf("a day old: %d requests more, %v", len(f.requests)-asked, err)
	}
	f.Close() // the service is gone: what is inside its windows still serves
	later.Now = func() time.Time { return now.Add(20 * 24 * time.Hour) }
	if _, err := later.Collateral(t.Context(), quote); err != nil {
		t.Errorf("valid cached collateral was not used: %v", err)
	}
	later.Now = func() time.Time { return now.Add(40 * 24 * time.Hour) }
	if _, err := later.Collateral(t.Context(), quote); err == nil {
		t.Error("expired cached collateral was used")
	}
}

func TestDamagedCacheIsFetchedAgain(t *testing.T) {
	f, dir := newFake(t, false), t.TempDir()
	quote := f.tdx(t)
	judge(t, f.client(dir, nil), quote)
	files, err := filepath.Glob(filepath.Join(dir, "*", "TDX-*.json"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.WriteFile(files[0], []byte(`{"tcb_info":"{}"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := judge(t, f.client(dir, nil), quote); !r.Accepted {
		t.Error("not accepted")
	}
}

func TestNeverBack(t *testing.T) {
	for name, older := range map[string]func(f *fake){
		"evaluation number": func(f *fake) { f.number = 17 },
		"CRL number":        func(f *fake) { f.issued = now.Add(-48 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			f, dir := newFake(t, false), t.TempDir()
			quote := f.tdx(t)
			judge(t, f.client(dir, nil), quote)
			files, _ := filepath.Glob(filepath.Join(dir, "*", "TDX-*.json"))
			fresh, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			_ = os.Remove(files[0])
			older(f)
			if _, err := f.client(dir, nil).Collateral(t.Context(), quote); !errors.Is(err, pcs.ErrRollback) {
				t.Errorf("older collateral: %v", err)
			}
			// With a newer copy at hand that one is used; another root's memory is not concerned.
			if err := os.WriteFile(files[0], fresh, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := f.client(dir, nil).Collateral(t.Context(), quote); err != nil || string(got) != string(fresh) {
				t.Errorf("the newer copy was not used: %v", err)
			}
		})
	}
}

func TestMemoryIsPerRoot(t *testing.T) {
	f, dir := newFake(t, false), t.TempDir()
	judge(t, f.client(dir, nil), f.tdx(t))
	other := newFake(t, false)
	a, err := pki.New(pki.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	other.authority, other.number = a, 3
	judge(t, other.client(dir, nil), other.tdx(t))
	seen, _ := filepath.Glob(filepath.Join(dir, "*", "seen.json"))
	if len(seen) != 2 {
		t.Errorf("memories: %v", seen)
	}
}

func TestForgedCollateralIsNeitherUsedNorRemembered(t *testing.T) {
	f, dir := newFake(t, false), t.TempDir()
	f.spoil = func(d *pki.Documents) { d.TCBInfo = strings.Replace(d.TCBInfo, `DataNumber":18`, `DataNumber":99`, 1) }
	if _, err := f.client(dir, nil).Collateral(t.Context(), f.tdx(t)); err == nil {
		t.Fatal("forged collateral was used")
	}
	f.spoil = nil
	if r := judge(t, f.client(dir, nil), f.tdx(t)); !r.Accepted {
		t.Error("a forged number poisoned the memory")
	}
}

func TestExpiredAndForeignAnswers(t *testing.T) {
	f := newFake(t, false)
	f.issued = now.Add(-40 * 24 * time.Hour)
	if _, err := f.client("", nil).Collateral(t.Context(), f.tdx(t)); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("expired: %v", err)
	}
	f.issued = now
	f.spoil = func(d *pki.Documents) { *d, _ = f.authority.Documents(pki.SGX, now) }
	if _, err := f.client("", nil).Collateral(t.Context(), f.tdx(t)); err == nil || !strings.Contains(err.Error(), "asked for TDX") {
		t.Errorf("foreign: %v", err)
	}
}

func TestRetries(t *testing.T) {
	f := newFake(t, false)
	f.failures = []failure{{http.StatusTooManyRequests, "7"}, {http.StatusServiceUnavailable, now.Add(3 * time.Second).Format(http.TimeFormat)}, {http.StatusBadGateway, ""}}
	var waits []time.Duration
	if _, err := f.client("", &waits).Collateral(t.Context(), f.tdx(t)); err != nil {
		t.Fatal(err)
	}
	if len(waits) != 3 || waits[0] != 7*time.Second || waits[1] != 3*time.Second || waits[2] != 4*time.Second {
		t.Errorf("waited %v", waits)
	}
}

// TestNoErrorTellsThePasswordOfAService: errors of a fetch reach logs and terminals.
func TestNoErrorTellsThePasswordOfAService(t *testing.T) {
	for name, spoil := range map[string]func(f *fake, c *pcs.Client){
		"refused":        func(f *fake, _ *pcs.Client) { f.failures = []failure{{http.StatusNotFound, ""}} },
		"no JSON":        func(f *fake, _ *pcs.Client) { f.failures = []failure{{http.StatusOK, ""}} },
		"no connection":  func(f *fake, _ *pcs.Client) { f.Close() },
		"no address":     func(_ *fake, c *pcs.Client) { c.BaseURL = "http://reader:hunter2%zz@127.0.0.1" },
		"no port number": func(_ *fake, c *pcs.Client) { c.BaseURL = "http://reader:hunter2@127.0.0.1:port" },
	} {
		f := newFake(t, true)
		var waits []time.Duration
		c := f.client("", &waits)
		c.BaseURL = strings.Replace(c.BaseURL, "http://", "http://reader:hunter2@", 1)
		spoil(f, c)
		if _, err := c.Collateral(t.Context(), f.tdx(t)); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoRetryWhereItCannotHelp(t *testing.T) {
	for status, words := range map[int]string{
		http.StatusNotFound: "does not know", http.StatusGone: "retired", http.StatusBadRequest: "parameters",
		http.StatusUnauthorized: "subscription", 461: "register", 462: "no certificate",
	} {
		f := newFake(t, true)
		f.failures = []failure{{status, ""}}
		var waits []time.Duration
		_, err := f.client("", &waits).Collateral(t.Context(), f.tdx(t))
		var answer *pcs.StatusError
		if !errors.As(err, &answer) || answer.Status != status || !strings.Contains(err.Error(), words) || len(waits) > 0 {
			t.Errorf("%d: %v after %v", status, err, waits)
		}
	}
	f := newFake(t, true)
	f.failures = []failure{{http.StatusServiceUnavailable, "3600"}}
	if _, err := f.client("", nil).Collateral(t.Context(), f.tdx(t)); err == nil || !strings.Contains(err.Error(), "1h0m0s") {
		t.Errorf("an hour's wait: %v", err)
	}
}

// TestManyClientsOneDirectory lets clients of one directory fetch different documents at once: no number is lost.
func TestManyClientsOneDirectory(t *testing.T) {
	f, dir := newFake(t, false), t.TempDir()
	enclave := pki.EnclaveReport{CPUSVN: f.authority.Platform().CPUSVN}
	quotes := [][]byte{f.tdx(t), f.quote(t, pki.Spec{Version: 3, Body: enclave.Bytes()})}
	shared := f.client(dir, nil)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			c := shared
			if i%2 == 0 {
				c = f.client(dir, nil)
			}
			if _, err := c.Collateral(t.Context(), quotes[i/2%2]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	files, _ := filepath.Glob(filepath.Join(dir, "*", "seen.json"))
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]uint64{}
	if err := json.Unmarshal(raw, &seen); err != nil || len(seen) != 6 {
		t.Errorf("remembered %v, %v", seen, err)
	}
}

func TestBundleRoundTrip(t *testing.T) {
	f := newFake(t, false)
	raw, err := f.client("", nil).Collateral(t.Context(), f.tdx(t))
	if err != nil {
		t.Fatal(err)
	}
	c, err := dcap.ParseCollateral(raw)
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(c)
	if err != nil || string(again) != string(raw) {
		t.Errorf("not the same after a round trip: %v", err)
	}
}
