package policyfile_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/verify"
	"github.com/teapot-tee/teapot/verify/policyfile"
)

const whole = `
version = 1
accept_status = ["SWHardeningNeeded"]
accept_advisories = []
grace_days = 7
min_tcb_evaluation_data_number = 17
allow = ["migratable"]
simulated = "allow"
waive = ["custody.storage"]
erasures = "refuse"
comment = "for people"

[[code]]
name = "one"
from = 2026-01-01T00:00:00Z
until = 2027-01-01T00:00:00Z
mrenclave = ["` + hex32 + `"]
isvprodid = 0
min_isvsvn = 3

[[agent]]
id = "b850bc30-45f8-0041-a00a-83df46d8555d"
character_sha256 = ["` + hex32 + `"]

[custody]
accept = ["operator", "kms:a,b,c"]

[witnesses]
quorum = 1
keys = ["witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU"]
require = true

[max_age]
evidence_hours = 24

[lineage]
accept_weaker = true
`

const hex32 = "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea"

func TestWholePolicyIsReadAndExplained(t *testing.T) {
	p, err := policyfile.Parse([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	if p.AcceptAdvisories == nil || len(p.AcceptAdvisories) != 0 || p.DCAP().AcceptAdvisories == nil {
		t.Error("an empty list of advisories is not an absent one")
	}
	if *p.Code[0].ISVProdID != 0 || p.Code[0].MinISVSVN != 3 || p.DCAP().MinEvaluation != 17 {
		t.Errorf("%+v", p)
	}
	var b bytes.Buffer
	if err := policyfile.Explain(&b, p); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"simulator", "SWHardeningNeeded", "migratable", "7 days", "starts from 2026-01-01 to 2027-01-01", "isvprodid", "WAIVED", "operator", "1 of these 1"} {
		if !strings.Contains(b.String(), says) {
			t.Errorf("the explanation does not say %q:\n%s", says, b.String())
		}
	}
}

func TestPoliciesThatSayLessThanTheySeemToAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		`mrtdd = ["00"]`:                            "mrtdd",
		`version = 2`:                               "version",
		`accept_status = ["uptodate"]`:              "accept_status",
		`accept_status = ["Revoked"]`:               "Revoked",
		`allow = ["everything"]`:                    "allow",
		`simulated = "yes"`:                         "simulated",
		`waive = ["binding.report_data"]`:           "waive",
		`waive = ["consistency.root"]`:              "waive",
		`grace_days = -1`:                           "negative",
		"[[code]]\nname = \"x\"":                    "pins no code",
		"[[code]]\nmrtd = [\"00\"]":                 "48 bytes",
		"[[code]]\nrtmr0 = [\"\"]\nmrtd = []":       "48 bytes",
		"[[agent]]\nname = \"x\"":                   "no id",
		"[custody]\naccept = [\"kms\"]":             "pins nothing",
		"[custody]\naccept = [\"anybody\"]":         "unknown value",
		"simulated = 'refuse'\nSimulated = 'allow'": "unknown key",
		"[Lineage]\naccept_weaker = true":           "unknown key",
		"[witnesses]\nquorum = 1":                   "only 0 keys",
		"[witnesses]\nkeys = [\"a\"]":               "quorum",
		"[[code]]\napp_compose_file = \"x\"":        "no place on disk",
		"this is not TOML":                          "TOML",
		"[max_age]\nevidence_hours = \"long\"":      "evidence_hours",
	} {
		if _, err := policyfile.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v, want %q in it", text, err, says)
		}
	}
}

func TestComposeFileIsHashedBesideThePolicy(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"app-compose.json": "{}", "p.toml": "[[code]]\nname = \"x\"\napp_compose_file = \"app-compose.json\""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := policyfile.Load(filepath.Join(dir, "p.toml"))
	if err != nil || p.Code[0].AppCompose[0] != "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" {
		t.Fatalf("%+v, %v", p.Code, err)
	}
	if err := os.Remove(filepath.Join(dir, "app-compose.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := policyfile.Load(filepath.Join(dir, "p.toml")); err == nil {
		t.Fatal("a missing compose file was ignored")
	}
}

func TestDraftIsAPolicy(t *testing.T) {
	prod := uint16(1)
	o := verify.Observation{
		Code:      verify.Code{Name: "what \"ran\"\n", MREnclave: []string{hex32}, MRSigner: []string{hex32}, ISVProdID: &prod, MinISVSVN: 2},
		Agents:    []verify.Agent{{ID: "b850bc30-45f8-0041-a00a-83df46d8555d", Name: "x\u202e\"", Origin: "o", LogKey: hex32}},
		Custody:   []string{"operator"},
		KMSRoot:   "02" + hex32,
		Witnesses: verify.Witnesses{Quorum: 1, Keys: []string{"a+b+c"}},
	}
	text := policyfile.Draft("http://x\nversion = 7", o, true, time.Unix(0, 0))
	p, err := policyfile.Parse(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if p.Simulated != "allow" || len(p.Code) != 1 || p.Code[0].Name != o.Code.Name || p.Agents[0].Name != o.Agents[0].Name || p.Witnesses.Quorum != 1 || len(p.Custody.Accept)+len(p.Custody.KMSRoots) != 0 {
		t.Fatalf("%+v", p)
	}
	checked := strings.NewReplacer("# accept = ", "accept = ", "# kms_roots = ", "kms_roots = ").Replace(string(text))
	if p, err = policyfile.Parse([]byte(checked)); err != nil || len(p.Custody.Accept) != 1 || len(p.Custody.KMSRoots) != 1 || p.Custody.KMSRoots[0] != o.KMSRoot {
		t.Fatalf("after a person removed the #: %+v, %v", p.Custody, err)
	}
}
