//go:build browser

package browsertest

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
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
	for range 60 {
		b.do(cdp.KeyEvent("\t"))
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
