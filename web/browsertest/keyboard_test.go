//go:build browser

package browsertest

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	cdp "github.com/chromedp/chromedp"
)

// Everything can be reached and opened by keyboard, in the order in which it is read.
func TestKeyboard(t *testing.T) {
	b := newTab(t)
	b.open(site(t) + "/")
	b.judged()
	b.do(cdp.KeyEvent("\t"))
	if got := eval[string](b, `document.activeElement.className`); got != "skip" {
		t.Errorf("the first stop is %q, not the link that skips to the content", got)
	}
	b.do(cdp.KeyEvent("\r"))
	b.wait(`document.activeElement.id === "main"`, 2*time.Second)
	seen := map[string]bool{}
	eval[bool](b, `window.before = document.activeElement, true`)
	for range 60 {
		b.do(cdp.KeyEvent("\t"))
		if eval[bool](b, `document.activeElement === document.body || !document.querySelector("main").contains(document.activeElement)`) {
			break // through the page
		}
		if stop := eval[string](b, `(() => {
			const e = document.activeElement, last = window.before, ring = getComputedStyle(e);
			window.before = e;
			if (last !== e && !(last.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING)) return "is reached out of order: " + e.outerHTML.slice(0, 90);
			if (ring.outlineStyle === "none" || parseFloat(ring.outlineWidth) < 2) return "shows no focus: " + e.outerHTML.slice(0, 90);
			return "";
		})()`); stop != "" {
			t.Error("a stop " + stop)
		}
		seen[eval[string](b, `document.activeElement.closest("details")?.dataset.link ?? document.activeElement.id ?? ""`)] = true
		if eval[bool](b, `document.activeElement.matches('details[data-link=code]:not([open]) > summary')`) {
			b.do(cdp.KeyEvent("\r"))
			b.wait(`document.querySelector("details[data-link=code]").open`, 2*time.Second)
		}
	}
	for _, stop := range []string{"hardware", "tcb", "code", "keys", "log", "entry", "session", "log-type", "log-text"} {
		if !seen[stop] {
			t.Errorf("%s is never reached by Tab", stop)
		}
	}
	b.clean()
}

// Who reads with a keyboard or a screen reader keeps the place: focus stays where it is while entries arrive, a verdict is
// said by an element that was there before it, and a sheet hands the focus back.
func TestFocusStaysAndVerdictsAreHeard(t *testing.T) {
	a := own(t)
	b := newTab(t)
	b.before(`addEventListener("DOMContentLoaded", () => { window.heard = []; new MutationObserver((all) => { for (const m of all) { const e = m.target.nodeType === 1 ? m.target : m.target.parentElement; if (e?.matches("tp-chain > [role=status]")) heard.push(e.textContent); } }).observe(document, {subtree: true, childList: true, characterData: true}); });`)
	b.open(a.url + "/")
	b.judged()
	if heard := eval[string](b, `window.heard.join(" | ")`); !strings.Contains(heard, "Warning. SIMULATED") {
		t.Errorf("a screen reader hears: %s", heard)
	}
	b.wait(`document.querySelector(".livedot").dataset.o === "passed"`, 5*time.Second)
	eval[bool](b, `(window.kept = document.querySelector(".entry[data-index='0'] button")).focus(), true`)
	for range 3 {
		a.record(t, entry{"type": "app/note", "text": "while somebody reads", "visibility": "public"})
	}
	b.wait(`document.querySelectorAll(".entry").length === 4`, 10*time.Second)
	if !eval[bool](b, `document.activeElement === window.kept && window.kept.isConnected`) {
		t.Error("the focus is lost when entries arrive")
	}
	b.open(a.url + "/chat")
	b.wait(`document.querySelector(".seal[data-seal]")`, 10*time.Second)
	b.say("Hello")
	b.click(".turn:last-child .shield")
	b.wait(`document.querySelector("dialog[open] .verdict")`, 5*time.Second)
	b.do(cdp.KeyEvent("\u001b"))
	b.wait(`!document.querySelector("dialog[open]") && document.activeElement.matches(".turn:last-child .shield")`, 5*time.Second)
	b.clean()
}

// What Eliza's REMOTE_ATTESTATION uploads becomes a permalink that opens in the explorer.
func TestUploadedQuoteOpensByPermalink(t *testing.T) {
	c := corpus(t, "OK", false)
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	part, _ := m.CreateFormFile("file", "quote.bin")
	_, _ = part.Write(read(t, shared(t, "corpus", "dcap", c.Dir, "quote.bin")))
	_ = m.Close()
	address := site(t)
	resp, err := http.Post(address+"/api/upload", m.FormDataContentType(), &form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	var answer struct{ Permalink string }
	if err := json.Unmarshal(raw, &answer); err != nil || answer.Permalink == "" {
		t.Fatalf("%d %s", resp.StatusCode, raw)
	}
	b := newTab(t)
	b.open(address + answer.Permalink)
	b.wait(`document.querySelector("tr[data-field=report_data]")`, 10*time.Second)
	b.clean()
}
