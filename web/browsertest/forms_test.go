//go:build browser

package browsertest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/web"
)

// fetched is what an agent answers to a stranger.
func fetched(t *testing.T, address string) []byte {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s %v", address, resp.StatusCode, body, err)
	}
	return body
}

// receipt talks to the agent and returns the receipt's file form, as a client saves it.
func (a *agent) receipt(t *testing.T) []byte {
	t.Helper()
	resp, err := http.Post(a.url+"/"+a.id+"/message", "application/json", strings.NewReader(`{"text":"for the receipt"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var contents []struct {
		Receipt struct {
			Entries []struct {
				Index uint64
				Salt  string
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&contents); err != nil || len(contents) == 0 || len(contents[0].Receipt.Entries) == 0 {
		t.Fatalf("no receipt: %v %+v", err, contents)
	}
	entries := contents[0].Receipt.Entries
	salt, err := base64.StdEncoding.DecodeString(entries[len(entries)-1].Salt)
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequest(http.MethodGet, a.url+resp.Header.Get("Teapot-Receipt"), nil)
	req.Header.Set("Teapot-Receipt-Secret", fmt.Sprintf("%x", salt))
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", answer.StatusCode, body)
	}
	return body
}

// A bundle, a receipt and evidence are dropped on the explorer: each draws its chain as far as it goes, and one changed byte in
// the log turns the log's links red and leaves the hardware as it was.
func TestExplorerTakesBundleReceiptAndEvidence(t *testing.T) {
	a := own(t)
	a.record(t, entry{"type": "app/note", "text": "a note that will be changed", "visibility": "public"})
	log := a.url + "/v1/agents/" + a.id + "/bundle"
	receipt, evidence, bundle := a.receipt(t), fetched(t, a.url+"/v1/evidence"), fetched(t, log)
	changed := []byte(strings.Replace(string(bundle), "a note that will be changed", "a note that was not changed", 1))
	b := newTab(t)
	b.open(site(t) + "/explorer")
	eval[bool](b, `document.querySelector("#simulated").checked = true`)
	for _, c := range []struct {
		name  string
		file  []byte
		links map[string]string
	}{
		{"evidence.json", evidence, map[string]string{"hardware": "warning", "tcb": "passed", "keys": "warning", "log": "not_checked"}},
		{"agent.bundle", bundle, map[string]string{"hardware": "warning", "tcb": "passed", "keys": "warning", "log": "passed", "entry": "passed"}},
		{"receipt.json", receipt, map[string]string{"hardware": "warning", "tcb": "passed", "keys": "warning", "log": "passed", "entry": "passed"}},
		{"changed.bundle", changed, map[string]string{"hardware": "warning", "tcb": "passed", "entry": "failed"}},
	} {
		b.click("#clear")
		b.drop(c.name, c.file)
		b.judged()
		b.wait(fmt.Sprintf(`document.querySelector("#chosen").textContent.includes(%q)`, c.name), 5*time.Second)
		for link, want := range c.links {
			if got := b.outcome(link); got != want {
				t.Errorf("%s: %s reads %s, not %s: %s", c.name, link, got, want, b.text("tp-chain h2"))
			}
		}
		if n := eval[int](b, `document.querySelectorAll("tr[data-field]").length`); n < 30 {
			t.Errorf("%s: %d fields of the quote inside are explained", c.name, n)
		}
		t.Logf("%s: %s", c.name, b.text("tp-chain h2"))
		b.shot("explorer-" + c.name)
	}
	b.axe("explorer with a changed bundle")
	b.clean()
}

// drop lets a file fall on the page, as a person's mouse does.
func (b *tab) drop(name string, body []byte) {
	b.t.Helper()
	eval[bool](b, fmt.Sprintf(`(() => { const d = new DataTransfer(); d.items.add(new File([Uint8Array.from(atob(%q), c => c.charCodeAt(0))], %q)); document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: d, bubbles: true, cancelable: true})); return true; })()`, base64.StdEncoding.EncodeToString(body), name))
}

// A link leads to a question, and the proof path works from a disk: an explorer in a file judges an agent's address.
func TestExplorerFollowsLinksAndFilesAskAgents(t *testing.T) {
	a := own(t)
	page, err := web.SingleFile()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "explorer.html")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, address := range map[string]string{"a link": site(t) + "/explorer#url=" + url.QueryEscape(a.url), "from a file": "file://" + file + "#url=" + url.QueryEscape(a.url)} {
		b := newTab(t)
		b.open(address)
		if tier := b.judged(); tier != "contraindicated" {
			t.Errorf("%s: a simulation that nobody allowed: tier %s: %s", name, tier, b.text("tp-chain h2"))
		}
		b.click("#allow")
		b.wait(`document.querySelector("tp-chain .verdict[data-tier=warning]")`, 10*time.Second)
		for _, link := range []string{"keys", "log", "entry"} {
			if got := b.outcome(link); got == "failed" || got == "not_checked" {
				t.Errorf("%s: %s reads %s", name, link, got)
			}
		}
		b.clean()
	}
}

// A link may name a file: evidence, a bundle, an upload's permalink. What cannot be fetched says what to do.
func TestExplorerFetchesLinkedFiles(t *testing.T) {
	a := own(t)
	for path, log := range map[string]string{"/v1/evidence": "not_checked", "/v1/agents/" + a.id + "/bundle": "passed"} {
		b := newTab(t)
		b.open(site(t) + "/explorer")
		eval[bool](b, `document.querySelector("#simulated").checked = true`)
		b.fill("#input", a.url+path)
		b.click("#check")
		b.judged()
		if got := b.outcome("log"); got != log || b.outcome("tcb") != "passed" {
			t.Errorf("%s: log %s, TCB %s: %s", path, got, b.outcome("tcb"), b.text("tp-chain"))
		}
		b.fill("#input", a.url+"/v1/nothing")
		b.click("#check")
		b.wait(`document.querySelector("tp-chain .verdict[data-tier=none]")?.textContent.includes("drop it here")`, 10*time.Second)
		b.clean("404")
	}
}

// Evidence that brings no collateral is judged with a file of it beside, and not at all without.
func TestEvidenceWithCollateralBeside(t *testing.T) {
	a := own(t)
	var all map[string]json.RawMessage
	if err := json.Unmarshal(fetched(t, a.url+"/v1/evidence"), &all); err != nil {
		t.Fatal(err)
	}
	collateral := all["collateral"]
	delete(all, "collateral")
	bare, _ := json.Marshal(all)
	b := newTab(t)
	b.open(site(t) + "/explorer")
	eval[bool](b, `document.querySelector("#simulated").checked = true`)
	b.drop("evidence.json", bare)
	b.wait(`document.querySelector("tp-chain .verdict[data-tier=none]")`, 15*time.Second)
	b.drop("collateral.json", collateral)
	b.wait(`document.querySelector('tp-chain details[data-link=tcb]')?.dataset.outcome === "passed"`, 10*time.Second)
	if got := b.outcome("keys"); got != "warning" {
		t.Errorf("keys reads %s: %s", got, b.text("tp-chain"))
	}
	b.clean("502")
}
