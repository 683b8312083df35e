package dcap_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/dcap"
)

// corpus is ../shared/corpus/dcap; without it the tests that need it skip.
func corpus(t testing.TB) string {
	t.Helper()
	dir := sharedCorpus()
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no corpus at %s: set TEAPOT_SHARED", dir)
	}
	return dir
}

func sharedCorpus() string {
	shared := os.Getenv("TEAPOT_SHARED")
	if shared == "" {
		shared = "../../shared"
	}
	return filepath.Join(shared, "corpus", "dcap")
}

func readFile(t testing.TB, parts ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readJSON(t testing.TB, into any, parts ...string) {
	t.Helper()
	if err := json.Unmarshal(readFile(t, parts...), into); err != nil {
		t.Fatal(err)
	}
}

// load reads quote and collateral of one case.
func load(t testing.TB, dir string) ([]byte, *dcap.Collateral) {
	t.Helper()
	c, err := dcap.ParseCollateral(readFile(t, dir, "collateral.json"))
	if err != nil {
		t.Fatal(err)
	}
	return readFile(t, dir, "quote.bin"), c
}

type realCase struct {
	Case       string
	Now        int64
	IntelQVL   string `json:"intel_qvl"`
	Advisories *string
	Dir        string
}

// intelStatus translates the words of Intel's verification library.
var intelStatus = map[string]dcap.Status{
	"OK": dcap.UpToDate, "OUT_OF_DATE": dcap.OutOfDate, "SW_HARDENING_NEEDED": dcap.SWHardeningNeeded,
	"CONFIGURATION_NEEDED":                     dcap.ConfigurationNeeded,
	"CONFIGURATION_AND_SW_HARDENING_NEEDED":    dcap.ConfigurationAndSWHardeningNeeded,
	"OUT_OF_DATE_CONFIGURATION_NEEDED":         dcap.OutOfDateConfigurationNeeded,
	"TD_RELAUNCH_ADVISED":                      dcap.TDRelaunchAdvised,
	"TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED": dcap.TDRelaunchAdvisedConfigurationNeeded,
	"NOT_SUPPORTED":                            dcap.StatusNone,
}

func TestRealQuotesGetIntelsVerdict(t *testing.T) {
	dir := corpus(t)
	var cases []realCase
	readJSON(t, &cases, dir, "real.json")
	var v dcap.Verifier
	for _, c := range cases {
		t.Run(c.Case, func(t *testing.T) {
			quote, collateral := load(t, filepath.Join(dir, c.Dir))
			r, err := v.Verify(quote, collateral, dcap.Options{At: time.Unix(c.Now, 0)})
			if err != nil {
				t.Fatal(err)
			}
			want, known := intelStatus[c.IntelQVL]
			if !known || r.Status != want {
				t.Errorf("status %q, Intel says %s\n%s", r.Status, c.IntelQVL, failures(r))
			}
			var advisories []string
			if c.Advisories != nil && *c.Advisories != "" {
				advisories = strings.Split(*c.Advisories, ",")
			}
			if want != dcap.StatusNone && !sameSet(r.Advisories, advisories) {
				t.Errorf("advisories %v, Intel says %v", r.Advisories, advisories)
			}
			if r.Accepted && r.Status != dcap.UpToDate {
				t.Errorf("the strict policy accepted %s", r.Status)
			}
		})
	}
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func failures(r *dcap.Report) string {
	var out strings.Builder
	for _, c := range r.Checks {
		if c.Outcome.String() != "passed" {
			out.WriteString("  " + c.ID + " " + c.Outcome.String() + ": " + c.Detail + "\n")
		}
	}
	return out.String()
}

type syntheticCase struct {
	Case    string
	Now     int64
	Want    string
	WantAdv []string `json:"want_adv"`
	Dir     string
}

func TestSyntheticCorpus(t *testing.T) {
	dir := corpus(t)
	var cases []syntheticCase
	readJSON(t, &cases, dir, "synthetic.json")
	var v dcap.Verifier
	for _, c := range cases {
		t.Run(c.Case, func(t *testing.T) { c.check(t, &v, filepath.Join(dir, c.Dir)) })
	}
}

func (c syntheticCase) check(t *testing.T, v *dcap.Verifier, dir string) {
	quote, collateral := load(t, dir)
	o := dcap.Options{Root: readFile(t, dir, "root.der"), At: time.Unix(c.Now, 0)}
	r, err := v.Verify(quote, collateral, o)
	if err != nil {
		t.Fatal(err)
	}
	// Answers to the cases where implementations differ: docs/dcap-answers.md. All are the advice given.
	verdict, detail, _ := strings.Cut(strings.TrimPrefix(c.Want, "IMPL:"), ":")
	switch verdict {
	case "ACCEPT":
		if r.Status.String() != detail {
			t.Errorf("status %q, want %s\n%s", r.Status, detail, failures(r))
		}
		if r.Accepted != (r.Status == dcap.UpToDate) {
			t.Errorf("accepted %v\n%s", r.Accepted, failures(r))
		}
		if c.WantAdv != nil && !sameSet(r.Advisories, c.WantAdv) {
			t.Errorf("advisories %v, want %v", r.Advisories, c.WantAdv)
		}
	case "REJECT":
		if r.Accepted || r.Status != dcap.StatusNone && r.Status != dcap.Revoked {
			t.Errorf("status %q accepted %v, want a rejection", r.Status, r.Accepted)
		}
		if string(r.Class) != detail {
			t.Errorf("class %s, advice is %s\n%s", r.Class, detail, failures(r))
		}
	case "POLICY":
		allow, ok := dcap.ParseAllow(detail)
		if r.Accepted || !ok || r.Status != dcap.UpToDate {
			t.Errorf("status %q accepted %v by default, want a refusal by policy", r.Status, r.Accepted)
		}
		o.Policy.Allow = allow
		if r, err = v.Verify(quote, collateral, o); err != nil || !r.Accepted {
			t.Errorf("not accepted although the policy allows %s: %v\n%s", detail, err, failures(r))
		}
	default:
		t.Fatalf("unknown verdict %q", c.Want)
	}
}
