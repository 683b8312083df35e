package page

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/dcap"
)

func shared(t *testing.T, parts ...string) []byte {
	t.Helper()
	root := os.Getenv("TEAPOT_SHARED")
	if root == "" {
		root = "../../../shared"
	}
	raw, err := os.ReadFile(filepath.Join(append([]string{root}, parts...)...))
	if os.IsNotExist(err) {
		t.Skip("../shared is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

const realCase = "sgx-v3-00606a000000-1cc40342--20250604-e17-5f86"

func TestExplainRealQuote(t *testing.T) {
	quote := shared(t, "corpus", "dcap", "real", realCase, "quote.bin")
	collateral := shared(t, "corpus", "dcap", "real", realCase, "collateral.json")
	e, err := Explain([][]byte{quote, collateral}, time.Unix(1750324941, 0))
	if err != nil {
		t.Fatal(err)
	}
	if e.TEE != "SGX" || e.Version != 3 || e.Status != "OutOfDate" || len(e.Notes) != 0 {
		t.Errorf("%s v%d, status %q, notes %v", e.TEE, e.Version, e.Status, e.Notes)
	}
	if len(e.Certificates) != 3 {
		t.Fatalf("%d certificates", len(e.Certificates))
	}
	var pinned int
	for _, c := range e.Certificates {
		if c.NotBefore.IsZero() || !c.NotAfter.After(c.NotBefore) || c.Serial == "" || !strings.Contains(c.Subject, "Intel SGX") {
			t.Errorf("certificate %+v", c)
		}
		if c.Pinned {
			pinned++
		} else if c.Revocation != "good" {
			t.Errorf("%s: revocation %q, its list is in the collateral", c.Subject, c.Revocation)
		}
	}
	if pinned != 1 {
		t.Errorf("%d certificates are the pinned root", pinned)
	}
	size := 0
	for _, f := range e.Fields {
		size += f.Size
	}
	if size != len(quote) {
		t.Errorf("the fields cover %d of %d bytes", size, len(quote))
	}
}

func TestExplainTheDocumentsQuote(t *testing.T) {
	text := shared(t, "documents", "eliza-in-tee.zh.md")
	e, err := Explain([][]byte{text}, time.Unix(1750324941, 0))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, f := range e.Fields {
		values[f.Name] = f.Value
	}
	want := map[string]string{
		"mr_td":       "6b7b07918ded5b89dc663c70941f8704978b91a24b54d88038c30d20d14d85016a524f7176c7a7cff7233a2a4405da9c",
		"rtmr3":       "eb7110de9956d7b4b1a3397f843b39d92df4caac263f5083e34e3161e4d6686c46c3239e7fbf61241a159d8da6dc6bd1",
		"report_data": "3df734883d4d0d78d670a1d17e28ef09dffbbfbd15063b73113cb5bed692d68cc30c38cb9389403fe6a1c32c35dbac75464b77597e27b854839db51dfde08854",
	}
	for name, v := range want {
		if values[name] != v {
			t.Errorf("%s = %s", name, values[name])
		}
	}
	if len(e.Notes) < 3 || len(e.Certificates) != 0 || e.Status != "" {
		t.Errorf("it must be explained as what cannot be verified: notes %q, %d certificates, status %q", e.Notes, len(e.Certificates), e.Status)
	}
}

// A reader may paste the same quote in any of these forms.
func TestQuoteInAnyForm(t *testing.T) {
	quote := shared(t, "corpus", "dcap", "real", realCase, "quote.bin")
	digits := hex.EncodeToString(quote)
	plain64 := base64.StdEncoding.EncodeToString(quote)
	around := func(v any) []byte { b, _ := json.Marshal(v); return b }
	inner := string(around(map[string]any{"quote": "0x" + digits, "timestamp": 1}))
	forms := map[string][]byte{
		"binary": quote, "hex": []byte(digits), "0x": []byte("0x" + digits + "\n"), "upper case": []byte(strings.ToUpper(digits)),
		"wrapped hex": []byte(strings.Join(chunks(digits, 64), "\n")), "base64": []byte(plain64), "wrapped base64": []byte(strings.Join(chunks(plain64, 76), "\r\n")),
		"dstack": around(map[string]any{"quote": digits, "event_log": "[]"}), "eliza": []byte(inner),
		"eliza in a string": around(map[string]any{"attestation": inner}), "phala": around(map[string]any{"data": map[string]any{"quote": digits}}),
		"log line": []byte("Remote attestation quote:  {\n quote: '0x" + digits + "',\n timestamp: 1733606453433\n}\nrtmr0: " + strings.Repeat("ab", 48)),
	}
	for name, form := range forms {
		m, err := open([][]byte{form})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !slices.Equal(m.quote, quote) {
			t.Errorf("%s: another quote of %d bytes", name, len(m.quote))
		}
	}
	for _, none := range []string{"", "hello", "{}", "<html></html>", `{"quote":5}`, strings.Repeat("ab", 20)} {
		if _, err := open([][]byte{[]byte(none)}); err == nil {
			t.Errorf("%q: a quote was found", none)
		}
	}
}

func chunks(s string, n int) []string {
	var out []string
	for part := range slices.Chunk([]byte(s), n) {
		out = append(out, string(part))
	}
	return out
}

func TestQR(t *testing.T) {
	c, err := QR("0x8aaAd4751C1Df5A92A48177B4a619e8Da03FcfC9")
	if err != nil {
		t.Fatal(err)
	}
	if c.Size < 21 || len(c.Rows) != c.Size || !strings.HasPrefix(c.Rows[0], "11111110") || !strings.HasPrefix(c.Rows[3], "10111010") {
		t.Errorf("no finder pattern in the corner: %d rows, %q", len(c.Rows), c.Rows[0])
	}
}

func TestPinnedRootIsTheVerifiers(t *testing.T) {
	c, ok := readCertificate(dcap.IntelRoot())
	if !ok || !c.Pinned || !c.Root || c.Subject != "Intel SGX Root CA, Intel Corporation" {
		t.Errorf("%v %+v", ok, c)
	}
}

// The quote of the documents is judged by its form; a genuine quote without collateral is not judged at all.
func TestAppraiseWithoutCollateral(t *testing.T) {
	at := Options{At: time.Unix(1750324941, 0)}
	r, err := new(Page).Appraise([][]byte{shared(t, "documents", "eliza-in-tee.zh.md")}, at)
	if err != nil || r.Tier != appraisal.Contraindicated || r.Exit != 1 {
		t.Errorf("the document's quote: %+v, %v", r, err)
	}
	if _, err := new(Page).Appraise([][]byte{shared(t, "corpus", "dcap", "real", realCase, "quote.bin")}, at); !errors.Is(err, ErrNoCollateral) {
		t.Errorf("a genuine quote without collateral: %v", err)
	}
}
