package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim/pki"
)

var quoteNow = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

// quoteFiles is a directory with a simulated quote, its collateral, its root and policies.
type quoteFiles struct {
	t   *testing.T
	dir string
	raw []byte
}

func newQuoteFiles(t *testing.T, td pki.TDReport) *quoteFiles {
	t.Helper()
	a, err := pki.New(pki.Options{Seed: bytes.Repeat([]byte{3}, 32), Now: quoteNow})
	if err != nil {
		t.Fatal(err)
	}
	q := &quoteFiles{t: t, dir: t.TempDir()}
	if q.raw, err = a.QuoteTDX(td); err != nil {
		t.Fatal(err)
	}
	c, err := a.Collateral(pki.TDX, quoteNow)
	if err != nil {
		t.Fatal(err)
	}
	q.write("quote.bin", q.raw)
	q.write("collateral.json", c)
	q.write("root.der", a.RootDER())
	q.write("root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.RootDER()}))
	return q
}

func (q *quoteFiles) write(name string, content []byte) string {
	q.t.Helper()
	path := q.path(name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		q.t.Fatal(err)
	}
	return path
}

func (q *quoteFiles) path(name string) string { return filepath.Join(q.dir, name) }

// run executes one command line with the time and collateral of the files; words that begin with @ are files.
func (q *quoteFiles) run(line string) (code int, stdout, stderr string) {
	words := strings.Fields(line)
	for i, w := range words {
		if strings.HasPrefix(w, "@") {
			words[i] = q.path(w[1:])
		}
	}
	var out, errs bytes.Buffer
	code = execute(q.t.Context(), words, &out, &errs)
	return code, out.String(), errs.String()
}

const judgedThen = " --collateral @collateral.json --at 2026-06-15T12:00:00Z "

func TestQuoteVerifyExitCodes(t *testing.T) {
	q := newQuoteFiles(t, pki.TDReport{})
	q.write("cut.bin", q.raw[:900])
	damaged := bytes.Clone(q.raw)
	damaged[600] ^= 1
	q.write("damaged.bin", damaged)
	q.write("text.txt", []byte("there is no quote in here"))
	q.write("empty", nil)
	q.write("not.json", []byte("<html>"))
	q.write("other.json", []byte(`{"a":1}`))
	q.write("wrong.toml", []byte("acept_status=[]"))
	q.write("strict.toml", nil)
	for line, want := range map[string]int{
		"quote verify @quote.bin --root @root.der" + judgedThen:                                   0,
		"quote verify @quote.bin --root @root.pem --json" + judgedThen:                            0,
		"quote verify @quote.bin --root @root.pem --policy @strict.toml" + judgedThen:             0,
		"quote verify @quote.bin --allow-simulated" + judgedThen:                                  0,
		"quote verify @quote.bin --allow-simulated --collateral @collateral.json --at 1781524800": 0,
		"tcb @quote.bin --allow-simulated" + judgedThen:                                           0,
		"quote verify @quote.bin" + judgedThen:                                                    1,
		"quote verify @damaged.bin --allow-simulated" + judgedThen:                                1,
		"quote verify @cut.bin --allow-simulated" + judgedThen:                                    1,
		"quote verify @cut.bin":                                                                   1, // needs no collateral
		"quote verify @quote.bin --allow-simulated --collateral @collateral.json --at 1999999999": 1,
		"tcb @quote.bin" + judgedThen:                                                             1,
		"quote verify @missing" + judgedThen:                                                      2,
		"quote verify @text.txt" + judgedThen:                                                     2,
		"quote verify @empty" + judgedThen:                                                        2,
		"quote verify @quote.bin --collateral @missing":                                           2,
		"quote verify @quote.bin --collateral @not.json":                                          2,
		"quote verify @quote.bin --collateral @other.json":                                        2,
		"quote verify @quote.bin --root @missing" + judgedThen:                                    2,
		"quote verify @quote.bin --root @quote.bin" + judgedThen:                                  2,
		"quote verify @quote.bin --policy @wrong.toml" + judgedThen:                               2,
		"quote verify @quote.bin --cache= --pccs http://127.0.0.1:1":                              2,
		"quote show @missing":                                                                     2,
		"quote show @quote.bin":                                                                   0,
		"quote show @cut.bin":                                                                     0,
		"quote verify @quote.bin --at yesterday":                                                  64,
		"quote verify":                                                                            64,
		"quote verify @quote.bin --nonsense":                                                      64,
	} {
		code, out, errs := q.run(line)
		if code != want {
			t.Errorf("%s: exit %d, want %d\n%s%s", line, code, want, out, errs)
		}
		if code >= 2 && (out != "" || !strings.HasPrefix(errs, "teapot: error: ")) {
			t.Errorf("%s: stdout %q, stderr %q", line, out, errs)
		}
	}
}

func TestQuoteVerifyJSON(t *testing.T) {
	q := newQuoteFiles(t, pki.TDReport{})
	for line, want := range map[string]string{"--root @root.der": "UpToDate", "--allow-simulated": "SIMULATED UpToDate", "": ""} {
		_, out, errs := q.run("quote verify @quote.bin --json " + line + judgedThen)
		var v struct {
			Status     *string
			Accepted   *bool
			Simulated  bool
			Advisories []string
			Checks     []struct{ ID, Outcome, Detail string }
		}
		if err := json.Unmarshal([]byte(out), &v); err != nil || errs != "" {
			t.Fatalf("%v: %s%s", err, out, errs)
		}
		if v.Status == nil || *v.Status != want || v.Accepted == nil || *v.Accepted != (want != "") || v.Advisories == nil || len(v.Checks) < 30 {
			t.Errorf("%q: %s", line, out)
		}
	}
}

// TestQuoteVerifyEvidence judges a document that carries quote and collateral.
func TestQuoteVerifyEvidence(t *testing.T) {
	q := newQuoteFiles(t, pki.TDReport{})
	c, err := os.ReadFile(q.path("collateral.json"))
	if err != nil {
		t.Fatal(err)
	}
	q.write("evidence.json", []byte(`{"quote":"`+base64.StdEncoding.EncodeToString(q.raw)+`","collateral":`+string(c)+`}`))
	if code, out, errs := q.run("quote verify @evidence.json --allow-simulated --at 2026-06-15T12:00:00Z"); code != 0 {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

func TestQuotePolicyFile(t *testing.T) {
	q := newQuoteFiles(t, pki.TDReport{TDAttributes: [8]byte{1}})
	if code, out, _ := q.run("quote verify @quote.bin --root @root.der" + judgedThen); code != 1 || !strings.Contains(out, "debug") {
		t.Errorf("debug accepted: %d\n%s", code, out)
	}
	q.write("policy.toml", []byte(`allow = ["debug"]`))
	if code, out, _ := q.run("quote verify @quote.bin --root @root.der --policy @policy.toml" + judgedThen); code != 0 {
		t.Errorf("debug refused although allowed: %d\n%s", code, out)
	}
}

// TestQuoteShowFindsTheQuote pastes the quote in the forms people have it.
func TestQuoteShowFindsTheQuote(t *testing.T) {
	q := newQuoteFiles(t, pki.TDReport{})
	h, b := hex.EncodeToString(q.raw), base64.StdEncoding.EncodeToString(q.raw)
	_, want, _ := q.run("quote show @quote.bin --json")
	for name, text := range map[string]string{
		"hex": h, "0x": "0x" + h + "\n", "capitals": strings.ToUpper(h), "base64": b, "base64 url": base64.RawURLEncoding.EncodeToString(q.raw),
		"lines": lines(h), "base64 lines": lines(b), "JSON": `{"quote":"0x` + h + `","event_log":"[]","hash":"` + strings.Repeat("ab", 64) + `"}`,
		"JSON base64": `{"quote":"` + strings.ReplaceAll(b, "/", `\/`) + `"}`, "JavaScript": "Remote attestation quote:  {\n  quote: '0x" + h + "',\n  timestamp: 1738000000\n}\n",
		"lines in a letter": "Hello,\nthis is my quote: " + lines(h) + "\nThanks\n", "base64 lines in a letter": "What is this:\n" + lines(b) + "Thanks!\n",
		"broken once": "my quote is " + h[:800] + "\n" + h[800:] + " what does it mean?\n",
	} {
		q.write("pasted", []byte(text))
		if code, got, errs := q.run("quote show @pasted --json"); code != 0 || got != want {
			t.Errorf("%s: exit %d, %s", name, code, errs)
		}
	}
}

func lines(s string) (out string) {
	for len(s) > 64 {
		out, s = out+s[:64]+"\n", s[64:]
	}
	return out + s + "\n"
}

func TestQuoteShowOfTheGuide(t *testing.T) {
	shared := os.Getenv("TEAPOT_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	page, err := os.ReadFile(filepath.Join(shared, "documents", "eliza-in-tee.zh.md"))
	if err != nil {
		t.Skip("no ../shared: ", err)
	}
	q := newQuoteFiles(t, pki.TDReport{})
	q.write("page.md", page)
	code, out, _ := q.run("quote show @page.md")
	if code != 0 || !strings.Contains(out, "CANNOT be verified") || !strings.Contains(out, "6b7b07918ded5b89dc663c70941f8704978b91a24b54d88038c30d20d14d85016a524f7176c7a7cff7233a2a4405da9c") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, out, _ := q.run("quote verify @page.md"); code != 1 || !strings.Contains(out, "NOT accepted") {
		t.Errorf("verify: exit %d\n%s", code, out)
	}
}

func TestQuoteFlagsOfEveryForm(t *testing.T) {
	q := newQuoteFiles(t, pki.TDReport{})
	for _, command := range []string{"quote", "quote show", "quote verify", "quote collateral", "tcb"} {
		if code, out, _ := q.run(command + " --help"); code != 0 || !strings.Contains(out, "Usage:") {
			t.Errorf("%s --help: exit %d", command, code)
		}
	}
	_, out, _ := q.run("tcb @quote.bin --json --root @root.der" + judgedThen)
	var tcb struct {
		Status   string
		DaysLeft int `json:"days_left"`
	}
	if err := json.Unmarshal([]byte(out), &tcb); err != nil || tcb.Status != "UpToDate" || tcb.DaysLeft != 29 {
		t.Errorf("%v: %s", err, out)
	}
}

// TestQuoteCollateralIsFetched runs the commands against a PCCS that serves the simulator's collateral.
func TestQuoteCollateralIsFetched(t *testing.T) {
	a, err := pki.New(pki.Options{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.Documents(pki.TDX, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("SGX-PCK-CRL-Issuer-Chain", url.PathEscape(d.PCKCRLIssuerChain))
		w.Header().Set("TCB-Info-Issuer-Chain", url.PathEscape(d.TCBInfoIssuerChain))
		w.Header().Set("SGX-Enclave-Identity-Issuer-Chain", url.PathEscape(d.QEIdentityIssuerChain))
		fmt.Fprint(w, map[string]string{
			"/tdx/certification/v4/tcb":         `{"tcbInfo":` + d.TCBInfo + `,"signature":"` + d.TCBInfoSignature + `"}`,
			"/tdx/certification/v4/qe/identity": `{"enclaveIdentity":` + d.QEIdentity + `,"signature":"` + d.QEIdentitySignature + `"}`,
			"/sgx/certification/v4/pckcrl":      d.PCKCRL,
			"/sgx/certification/v4/rootcacrl":   d.RootCACRL,
		}[r.URL.Path])
	}))
	defer server.Close()
	q := newQuoteFiles(t, pki.TDReport{})
	raw, err := a.QuoteTDX(pki.TDReport{})
	if err != nil {
		t.Fatal(err)
	}
	q.write("quote.bin", raw)
	q.write("root.der", a.RootDER())
	fetch := " --root @root.der --cache @cache --pccs " + server.URL
	if code, _, errs := q.run("quote collateral @quote.bin -o @fetched.json" + fetch); code != 0 {
		t.Fatalf("collateral: exit %d, %s", code, errs)
	}
	for _, line := range []string{
		"quote verify @quote.bin --root @root.der --collateral @fetched.json", "quote verify @quote.bin" + fetch, "tcb @quote.bin" + fetch,
	} {
		if code, out, errs := q.run(line); code != 0 {
			t.Errorf("%s: exit %d\n%s%s", line, code, out, errs)
		}
	}
}

func TestUpdateFlagsExcludeEachOther(t *testing.T) {
	for _, flags := range [][]string{{"--update", "late"}, {"--update", "early", "--evaluation", "18"}} {
		for _, command := range []string{"quote verify x", "quote collateral x", "tcb x"} {
			args := append(strings.Fields(command), flags...)
			if code := execute(t.Context(), args, io.Discard, io.Discard); code != 64 {
				t.Errorf("%v: exit %d", args, code)
			}
		}
	}
}
