//go:build browser

package browsertest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shared reads a file of ../shared; a checkout without it skips.
func shared(t *testing.T, parts ...string) string {
	t.Helper()
	top := os.Getenv("TEAPOT_SHARED")
	if top == "" {
		top = filepath.Join(root, "..", "shared")
	}
	path := filepath.Join(append([]string{top}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not here", path)
	}
	return path
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// judged waits for a verdict and returns its tier; "none" counts as one only when the page says why.
func (b *tab) judged() string {
	b.t.Helper()
	b.wait(`document.querySelector("tp-chain .verdict[data-tier]")`, 20*time.Second)
	return eval[string](b, `document.querySelector("tp-chain .verdict").dataset.tier`)
}

// outcome of one link of the drawn chain.
func (b *tab) outcome(link string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf(`document.querySelector('tp-chain details[data-link=%s]')?.dataset.outcome ?? "absent"`, link))
}

// judgeAt sets the time to judge at, in the browser's own zone.
func (b *tab) judgeAt(unix int64) {
	b.t.Helper()
	eval[bool](b, fmt.Sprintf(`(() => { const d = new Date(%d * 1000); d.setMinutes(d.getMinutes() - d.getTimezoneOffset()); document.querySelector("#at").value = d.toISOString().slice(0, 19); return true; })()`, unix))
}

type corpusCase struct {
	Case, Dir, Quote string
	Now              int64
	Intel            string `json:"intel_qvl"`
}

// corpus returns the first case that Intel judges so; debug says whether its enclave or TD is one that the host can read.
func corpus(t *testing.T, want string, debug bool) corpusCase {
	t.Helper()
	var all []corpusCase
	if err := json.Unmarshal(read(t, shared(t, "corpus", "dcap", "real.json")), &all); err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Intel != want {
			continue
		}
		if q := read(t, shared(t, "corpus", "dcap", c.Dir, "quote.bin")); isDebug(q) == debug {
			return c
		}
	}
	t.Skipf("the corpus has no case %s with debug %v", want, debug)
	return corpusCase{}
}

// isDebug reads the attribute bits of a version 3 or 4 quote: SGX ATTRIBUTES.DEBUG, TD attributes bit 0.
func isDebug(q []byte) bool {
	if q[4] == 0x81 {
		return q[48+120]&1 != 0
	}
	return q[48+48]&2 != 0
}

// Genuine Intel quotes: the page says what Intel's library says, and that nobody told it which code to expect.
func TestExplorerRealQuotes(t *testing.T) {
	for intel, tcb := range map[string]string{"OK": "passed", "OUT_OF_DATE": "warning", "SW_HARDENING_NEEDED": "warning"} {
		t.Run(intel, func(t *testing.T) {
			c := corpus(t, intel, false)
			b := newTab(t)
			b.open(site(t) + "/explorer")
			b.judgeAt(c.Now)
			b.choose("#files", shared(t, "corpus", "dcap", c.Dir, "quote.bin"), shared(t, "corpus", "dcap", c.Dir, "collateral.json"))
			b.judged()
			if got := b.outcome("hardware"); got != "passed" {
				t.Errorf("hardware reads %s for a genuine quote", got)
			}
			if got := b.outcome("tcb"); got != tcb {
				t.Errorf("TCB reads %s, Intel says %s", got, intel)
			}
			if eval[bool](b, `Boolean(document.querySelector(".stripe.simulated"))`) {
				t.Error("a genuine quote reads SIMULATED")
			}
			b.wait(`document.querySelectorAll(".certs > li").length === 3`, 5*time.Second)
			b.shots("explorer-real-" + strings.ToLower(intel))
			b.axe("explorer with a real quote")
			b.clean()
		})
	}
}

// With the reader's reference values, genuine and current hardware is affirming, and only then.
func TestExplorerAffirmsExpectedCode(t *testing.T) {
	c := corpus(t, "OK", false)
	quote := read(t, shared(t, "corpus", "dcap", c.Dir, "quote.bin"))
	policy := "version = 1\n[[code]]\nname = \"mine\"\n"
	if quote[4] == 0x81 {
		policy += fmt.Sprintf("mrtd = [\"%x\"]\n", quote[184:232])
		for i := range 4 {
			policy += fmt.Sprintf("rtmr%d = [\"%x\"]\n", i, quote[376+48*i:424+48*i])
		}
	} else {
		policy += fmt.Sprintf("mrenclave = [\"%x\"]\n", quote[112:144])
	}
	b := newTab(t)
	b.open(site(t) + "/explorer")
	b.judgeAt(c.Now)
	b.fill("#policy", policy)
	b.choose("#files", shared(t, "corpus", "dcap", c.Dir, "quote.bin"), shared(t, "corpus", "dcap", c.Dir, "collateral.json"))
	b.judged()
	if got := b.outcome("code"); got != "passed" {
		t.Errorf("code reads %s with its own measurement expected", got)
	}
	t.Logf("tier %s: %s", b.judged(), b.text("tp-chain h2"))
	b.fill("#policy", strings.Replace(policy, `["`, `["0000`, 1)[:strings.Index(policy, `["`)+6]+policy[strings.Index(policy, `["`)+6:])
	b.click("#check")
	b.wait(`document.querySelector('details[data-link=code]')?.dataset.outcome === "failed"`, 10*time.Second)
	if got := eval[string](b, `[...document.querySelectorAll(".differences tbody tr")].map(r => r.dataset.register + " " + r.querySelector(".differs")?.textContent).join()`); !strings.Contains(got, " ") || strings.Contains(got, "undefined") {
		t.Errorf("the difference to the expected measurements is drawn as %q", got)
	}
	b.shots("explorer-other-code")
	b.axe("explorer with other code")
	b.clean()
}

// A genuine debug enclave is no protection at all, and the page says so before anything else.
func TestExplorerDebugIsUnmistakable(t *testing.T) {
	c := corpus(t, "OUT_OF_DATE", true)
	b := newTab(t)
	b.open(site(t) + "/explorer")
	b.judgeAt(c.Now)
	b.choose("#files", shared(t, "corpus", "dcap", c.Dir, "quote.bin"), shared(t, "corpus", "dcap", c.Dir, "collateral.json"))
	if tier := b.judged(); tier != "contraindicated" {
		t.Errorf("tier %s", tier)
	}
	if !eval[bool](b, `document.querySelector("tp-chain .verdict").firstElementChild.matches(".stripe.debug")`) {
		t.Error("DEBUG is not the first thing that the verdict shows")
	}
	b.shots("explorer-debug")
	b.clean()
}

// One flipped byte turns the link red that the byte belongs to.
func TestExplorerFlippedByte(t *testing.T) {
	c := corpus(t, "OK", false)
	quote := read(t, shared(t, "corpus", "dcap", c.Dir, "quote.bin"))
	dir := t.TempDir()
	for name, at := range map[string]int{"report": 120, "signature": 500} {
		bad := append([]byte{}, quote...)
		bad[at] ^= 1
		file := filepath.Join(dir, name+".bin")
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		b := newTab(t)
		b.open(site(t) + "/explorer")
		b.judgeAt(c.Now)
		b.choose("#files", file, shared(t, "corpus", "dcap", c.Dir, "collateral.json"))
		if tier := b.judged(); tier != "contraindicated" {
			t.Errorf("%s: tier %s", name, tier)
		}
		if got := b.outcome("hardware"); got != "failed" {
			t.Errorf("%s: hardware reads %s", name, got)
		}
		b.clean()
	}
}

// The quote printed in "Eliza in TEE" is explained field by field and never called valid.
func TestExplorerDocumentsQuote(t *testing.T) {
	text := string(read(t, shared(t, "documents", "eliza-in-tee.zh.md")))
	from := strings.Index(text, "Remote attestation quote")
	b := newTab(t)
	b.open(site(t) + "/explorer?lang=zh")
	b.fill("#input", text[from:from+strings.Index(text[from:], "```")])
	b.click("#check")
	if tier := b.judged(); tier == "affirming" || tier == "warning" {
		t.Errorf("tier %s", tier)
	}
	b.wait(`document.querySelector('tr[data-field=mr_td]')`, 5*time.Second)
	if got := b.text("tr[data-field=mr_td] code"); !strings.HasPrefix(got, "6b7b07918ded5b89") {
		t.Errorf("mr_td %s", got)
	}
	if n := eval[int](b, `document.querySelectorAll("tp-quote .notice").length`); n < 3 {
		t.Errorf("%d reasons why it cannot be verified", n)
	}
	b.speaksChinese()
	b.shots("explorer-document-zh")
	b.axe("explorer with the document's quote")
	b.clean()
}

func TestExplorerTakesEveryForm(t *testing.T) {
	c := corpus(t, "OK", false)
	quote := read(t, shared(t, "corpus", "dcap", c.Dir, "quote.bin"))
	digits := hex.EncodeToString(quote)
	b := newTab(t)
	b.open(site(t) + "/explorer")
	for name, text := range map[string]string{"hex": "0x" + digits, "base64": base64.StdEncoding.EncodeToString(quote), "JSON": fmt.Sprintf(`{"quote":"%s"}`, digits)} {
		b.click("#clear")
		b.fill("#input", text)
		b.click("#check")
		b.wait(`document.querySelector('tr[data-field=report_data]')`, 10*time.Second)
		t.Logf("%s: %s", name, b.text("tp-chain h2"))
	}
	for _, text := range []string{"hello", "{}", "<html></html>"} {
		b.fill("#input", text)
		b.click("#check")
		b.wait(`document.querySelector("tp-chain .verdict[data-tier=none]")`, 5*time.Second)
		t.Logf("%q: %s", text, b.text("tp-chain .verdict"))
	}
	b.clean()
}

// First verdict under a second after load, on two cores.
func TestFirstVerdictIsFast(t *testing.T) {
	c := corpus(t, "OK", false)
	b := newTab(t)
	b.open(site(t) + "/explorer")
	b.wait(`document.documentElement.dataset.verifier`, 10*time.Second)
	b.judgeAt(c.Now)
	b.choose("#files", shared(t, "corpus", "dcap", c.Dir, "quote.bin"), shared(t, "corpus", "dcap", c.Dir, "collateral.json"))
	b.wait(`document.querySelector("#about")?.dataset.took`, 10*time.Second)
	load, took := eval[string](b, `document.documentElement.dataset.verifier`), eval[string](b, `document.querySelector("#about").dataset.took`)
	t.Logf("verifier loaded in %s ms, first verdict %s ms", load, took)
}
