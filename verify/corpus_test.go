package verify_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/verify"
)

func corpus(t *testing.T) string {
	t.Helper()
	shared := os.Getenv("TEAPOT_SHARED")
	if shared == "" {
		shared = "../../shared"
	}
	dir := filepath.Join(shared, "corpus", "dcap")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the corpus is not here: %v", err)
	}
	return dir
}

// Real quotes of genuine hardware: the hardware links say what Intel says, and unknown code is never affirming.
func TestRealQuotes(t *testing.T) {
	dir := corpus(t)
	text, err := os.ReadFile(filepath.Join(dir, "real.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Dir string `json:"dir"`
		Now int64  `json:"now"`
		QVL string `json:"intel_qvl"`
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) == 0 {
		t.Fatal(err)
	}
	for _, c := range cases {
		quote, err := os.ReadFile(filepath.Join(dir, c.Dir, "quote.bin"))
		if err != nil {
			t.Fatal(err)
		}
		collateral, err := os.ReadFile(filepath.Join(dir, c.Dir, "collateral.json"))
		if err != nil {
			t.Fatal(err)
		}
		in := verify.Input{Target: c.Dir, Kind: verify.KindQuote, File: quote, Verifier: shared, Collateral: func([]byte) (json.RawMessage, error) { return collateral, nil }}
		r, err := verify.Appraise(in, verify.Policy{}, time.Unix(c.Now, 0))
		if err != nil {
			t.Fatal(err)
		}
		tcb := r.Find("tcb.status")
		if r.Exit != 1 || r.Tier == appraisal.Affirming || r.Simulated || r.Find("hardware.root").Outcome != appraisal.Passed {
			t.Errorf("%s: exit %d, tier %s, simulated %v", c.Dir, r.Exit, r.Tier, r.Simulated)
		}
		switch c.QVL {
		case "OK":
			if tcb.Outcome != appraisal.Passed {
				t.Errorf("%s: up to date, tcb.status %s: %s", c.Dir, tcb.Outcome, tcb.Detail)
			}
		case "NOT_SUPPORTED":
			if r.Tier != appraisal.Contraindicated {
				t.Errorf("%s: Intel refuses it, tier %s", c.Dir, r.Tier)
			}
		default:
			if tcb.Outcome != appraisal.Warning || tcb.Remedy == "" || tcb.Fault == "" {
				t.Errorf("%s: %s, tcb.status %s, remedy %q", c.Dir, c.QVL, tcb.Outcome, tcb.Remedy)
			}
		}
	}
}
