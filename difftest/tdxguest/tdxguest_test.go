package tdxguest_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/difftest/tdxguest"
)

var now = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

func TestSimulatorsQuoteIsAccepted(t *testing.T) {
	a, err := pki.New(pki.Options{Seed: bytes.Repeat([]byte{5}, 32), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	quote, err := a.QuoteTDX(pki.TDReport{ReportData: [64]byte{1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := a.Collateral(pki.TDX, now)
	if err != nil {
		t.Fatal(err)
	}
	c, err := dcap.ParseCollateral(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := tdxguest.Verify(quote, c, a.RootDER(), now); err != nil {
		t.Errorf("go-tdx-guest refuses the simulator's quote: %v", err)
	}
	quote[600] ^= 1
	if err := tdxguest.Verify(quote, c, a.RootDER(), now); err == nil {
		t.Error("go-tdx-guest accepts a changed quote")
	}
}

type corpusCase struct {
	Case, Dir, Tee, Want, Quote string
	Version, Ver                int
	Now                         int64
}

// TestAgreesWithGoTDXGuest compares verdicts on every TDX version 4 case of the corpus: signatures, collateral and
// UpToDate, without attribute policy, which go-tdx-guest keeps elsewhere. Every difference must have a known reason.
func TestAgreesWithGoTDXGuest(t *testing.T) {
	dir := corpus(t)
	var all []corpusCase
	for _, name := range []string{"real.json", "synthetic.json"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var cases []corpusCase
		if err := json.Unmarshal(raw, &cases); err != nil {
			t.Fatal(err)
		}
		all = append(all, cases...)
	}
	policy := dcap.Policy{}
	for _, name := range dcap.AllowNames() {
		allow, _ := dcap.ParseAllow(name)
		policy.Allow |= allow
	}
	var v dcap.Verifier
	reasons := map[string]int{}
	for _, c := range all {
		if c.Tee != "TDX" || c.Version+c.Ver != 4 {
			continue
		}
		quote, collateral, root := read(t, filepath.Join(dir, c.Dir))
		at := time.Unix(c.Now, 0)
		r, err := v.Verify(quote, collateral, dcap.Options{Root: root, At: at, Policy: policy})
		if err != nil {
			t.Fatal(err)
		}
		theirs := tdxguest.Verify(quote, collateral, root, at)
		if r.Accepted == (theirs == nil) {
			reasons["agree"]++
			continue
		}
		reason := explain(r, theirs)
		if reason == "" {
			t.Errorf("%s: we say accepted=%v (%s %s), go-tdx-guest says %v: unexplained", c.Case, r.Accepted, r.Status, r.Class, theirs)
		}
		reasons[reason]++
	}
	for reason, n := range reasons {
		t.Logf("%3d  %s", n, reason)
	}
}

// explain names the reason of a difference, from go-tdx-guest's own words; facts/dcap.md section 5 has the evidence.
func explain(r *dcap.Report, theirs error) string {
	if theirs == nil {
		return "" // they would accept what we refuse: never explained away
	}
	words := theirs.Error()
	switch {
	case strings.Contains(words, "FMSPC") && strings.EqualFold(fmspcs(words)[0], fmspcs(words)[1]):
		return "it compares FMSPC as text: the letter case differs"
	}
	return ""
}

// fmspcs are the quoted words of its FMSPC message.
func fmspcs(words string) [2]string {
	parts := strings.Split(words, `"`)
	if len(parts) < 4 {
		return [2]string{"", "-"}
	}
	return [2]string{parts[1], parts[3]}
}

func read(t *testing.T, dir string) ([]byte, *dcap.Collateral, []byte) {
	t.Helper()
	quote, err := os.ReadFile(filepath.Join(dir, "quote.bin"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "collateral.json"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := dcap.ParseCollateral(raw)
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(filepath.Join(dir, "root.der"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if root == nil { // Intel's
		root = dcap.IntelRoot()
	}
	return quote, c, root
}

func corpus(t *testing.T) string {
	t.Helper()
	shared := os.Getenv("TEAPOT_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	dir := filepath.Join(shared, "corpus", "dcap")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no corpus at %s: set TEAPOT_SHARED", dir)
	}
	return dir
}
