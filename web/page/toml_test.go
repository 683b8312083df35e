package page

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/verify/policyfile"
)

const wholePolicy = `# what I expect
version = 1
accept_status = ["UpToDate", "SWHardeningNeeded"] # both
accept_advisories = [
  "INTEL-SA-00837", # known
  'INTEL-SA-00960',
]
grace_days = 30
allow = []
simulated = "refuse"
waive = ["witnesses.quorum"]
comment = "a \"quoted\" # word"

[[code]]
name = "release 1"
from = 2026-01-02T03:04:05Z
mrtd = ["6b7b07918ded5b89dc663c70941f8704978b91a24b54d88038c30d20d14d85016a524f7176c7a7cff7233a2a4405da9c"]
accept_compose_by_hash = true
min_isvsvn = 2

[[code]]
name = "release 2"
rtmr3 = ["eb7110de9956d7b4b1a3397f843b39d92df4caac263f5083e34e3161e4d6686c46c3239e7fbf61241a159d8da6dc6bd1"]

[[agent]]
id = "025e0996-69d7-0dce-8189-390e354fd1c1"

[max_age]
evidence_hours = 48
`

// A policy must say the same to the page and to the command line.
func TestPolicyReadsAsTheLibraryReadsIt(t *testing.T) {
	policies := []string{wholePolicy, "version = 1\n", "version=1\r\nsimulated='allow'\r\n"}
	for _, pattern := range []string{"../../docs/**/*.toml", "../../deploy/**/*.toml", "../../verify/policyfile/testdata/*.toml"} {
		files, _ := filepath.Glob(pattern)
		for _, f := range files {
			if raw, err := os.ReadFile(f); err == nil {
				policies = append(policies, string(raw))
			}
		}
	}
	for _, text := range policies {
		want, err := policyfile.Parse([]byte(text))
		if err != nil {
			t.Logf("the library refuses: %v", err)
			continue
		}
		got, err := parsePolicy(text)
		if err != nil {
			t.Errorf("refused: %v\n%s", err, text)
			continue
		}
		for i := range got.Code { // a time is the same instant, whatever pointer its zone has
			if !got.Code[i].From.Equal(want.Code[i].From) {
				t.Errorf("from %v, want %v", got.Code[i].From, want.Code[i].From)
			}
			got.Code[i].From = want.Code[i].From
		}
		if normal(got) != normal(want) {
			t.Errorf("read differently:\ngot  %+v\nwant %+v\n%s", got, want, text)
		}
	}
}

// normal makes empty and missing lists the same.
func normal(v any) string {
	return strings.ReplaceAll(strings.ReplaceAll(fmt.Sprintf("%#v", v), "[]string{}", "nil"), "[]string(nil)", "nil")
}

func TestPolicyRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no version": "simulated = \"allow\"\n", "unknown key": "version = 1\nsimulate = \"allow\"\n", "twice": "version = 1\nversion = 1\n",
		"dotted key": "version = 1\nmax_age.evidence_hours = 1\n", "inline table": "version = 1\nmax_age = {evidence_hours = 1}\n", "open string": "version = 1\nsimulated = \"allow\n",
		"open list": "version = 1\nallow = [\n", "float": "version = 1.0\n", "hex number": "version = 0x1\n", "several lines": "version = 1\ncomment = \"\"\"x\"\"\"\n",
		"bad status": "version = 1\naccept_status = [\"Fine\"]\n", "table twice": "version = 1\n[custody]\n[custody]\n", "garbage": "version = 1\nhello\n", "after a value": "version = 1 2\n",
	} {
		if p, err := parsePolicy(text); err == nil {
			t.Errorf("%s: read as %+v", name, p)
		}
	}
}
