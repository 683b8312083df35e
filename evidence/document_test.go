package evidence

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func sampleEvidence(t testing.TB) Evidence {
	t.Helper()
	part, err := samplePart().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	boot, err := sampleBoot(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return Evidence{Platform: "simulator", Statement: boot, Quote: []byte{4, 0}, EventLog: json.RawMessage(`[{"imr":3}]`), Parts: [][]byte{part}}
}

func TestEvidenceRoundTrip(t *testing.T) {
	raw, err := sampleEvidence(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	e, err := ParseEvidence(raw)
	if err != nil {
		t.Fatal(err)
	}
	boot, err := ParseBoot(e.Statement)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := e.MatchParts(boot)
	if err != nil || len(parts) != 1 || parts[0].Agent != testAgent {
		t.Fatalf("parts %v, %v", parts, err)
	}
	if e.ID() != Sum(e.Statement) {
		t.Error("the ID is not the statement's digest")
	}
}

func TestEvidenceRefuses(t *testing.T) {
	raw, err := sampleEvidence(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"unknown member":        strings.Replace(string(raw), `{"type"`, `{"x":1,"type"`, 1),
		"duplicate member":      strings.Replace(string(raw), `"quote":`, `"quote":"AA==","quote":`, 1),
		"duplicate, other case": strings.Replace(string(raw), `"quote":`, `"Quote":"AA==","quote":`, 1),
		"nested duplicate":      strings.Replace(string(raw), `{"imr":3}`, `{"imr":3,"imr":2}`, 1),
		"trailing":              string(raw) + "{}",
		"other type":            strings.Replace(string(raw), DocumentType, "teapot/evidence/v2", 1),
		"unknown platform":      strings.Replace(string(raw), `"simulator"`, `"moon"`, 1),
		"no quote":              strings.Replace(string(raw), `"quote":"BAA="`, `"quote":""`, 1),
		"deep":                  strings.Replace(string(raw), `[{"imr":3}]`, strings.Repeat("[", 200)+strings.Repeat("]", 200), 1),
	} {
		if _, err := ParseEvidence([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestMatchPartsRefuses(t *testing.T) {
	e := sampleEvidence(t)
	boot, _ := ParseBoot(e.Statement)
	for name, parts := range map[string][][]byte{
		"missing": nil, "another": {bytes.Replace(e.Parts[0], []byte("Eliza"), []byte("Elisa"), 1)}, "one more": {e.Parts[0], e.Parts[0]},
	} {
		bad := Evidence{Parts: parts}
		if _, err := bad.MatchParts(boot); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzEvidence(f *testing.F) {
	raw, err := sampleEvidence(f).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := ParseEvidence(raw)
		if err != nil {
			return
		}
		if _, err := e.Marshal(); err != nil {
			t.Fatalf("accepted a document that cannot be written: %v", err)
		}
	})
}

func TestLegacyTextsAreThoseOfThePublishedPackages(t *testing.T) {
	if got := ElizaWalletText("a\"\n<\u2028", "k"); got != "{\"agentId\":\"a\\\"\\n<\u2028\",\"publicKey\":\"k\"}" {
		t.Errorf("wallet text %q", got)
	}
	if got := ElizaWalletTextWithSubject("a", "k", "s"); got != `{"agentId":"a","publicKey":"k","subject":"s"}` {
		t.Errorf("wallet text with subject %q", got)
	}
	if got := ElizaAttestationText("a", 5, "u", "r", "\x01"); got != `{"agentId":"a","timestamp":5,"message":{"userId":"u","roomId":"r","content":"\u0001"}}` {
		t.Errorf("attestation text %q", got)
	}
}

func TestLegacyReportDataOfTheDocument(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(shared(), "vectors", "eliza.json"))
	if err != nil {
		t.Skipf("no shared vectors: %v", err)
	}
	var v struct {
		KAT struct {
			Text string `json:"text_attested"`
			Data string `json:"report_data_hex"`
		} `json:"seed_document_kat"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	rd := LegacyReportDataTDX(v.KAT.Text)
	if hex.EncodeToString(rd[:]) != v.KAT.Data {
		t.Errorf("report data %x, the document's quote has %s", rd, v.KAT.Data)
	}
	sgx := LegacyReportDataSGX("x")
	if !bytes.Equal(sgx[32:], make([]byte, 32)) {
		t.Error("SGX report data is 32 bytes and zeros")
	}
}

func shared() string {
	if dir := os.Getenv("TEAPOT_SHARED"); dir != "" {
		return dir
	}
	return "../../shared"
}
