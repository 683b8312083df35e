//go:build browser

package browsertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/internal/between"
)

// entry is a body of POST /v1/agents/{id}/entries.
type entry map[string]any

// record appends an entry and returns its index.
func (a *agent) record(t *testing.T, e entry) uint64 {
	t.Helper()
	body, _ := json.Marshal(e)
	req, _ := http.NewRequest(http.MethodPost, a.url+"/v1/agents/"+a.id+"/entries", bytes.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Index uint64 }
	raw, _ := io.ReadAll(resp.Body)
	if err := json.Unmarshal(raw, &answer); err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("append: %d %s", resp.StatusCode, raw)
	}
	return answer.Index
}

// The live log: entries appear verified as they are written, and a walk along their causes explains them.
func TestLiveLogAndCauses(t *testing.T) {
	a := own(t)
	b := newTab(t)
	b.open(a.url + "/")
	b.wait(`document.querySelector(".livedot")?.dataset.o === "passed"`, 10*time.Second)
	question := a.record(t, entry{"type": "app/question", "text": "What is the weather in Hangzhou?", "visibility": "public"})
	call := a.record(t, entry{"type": "app/lookup", "text": `{"service":"weather","city":"Hangzhou"}`, "media_type": "application/json", "visibility": "public", "cause": []uint64{question}})
	intent := a.record(t, entry{"type": "intent", "text": "post the answer", "cause": []uint64{call}})
	a.record(t, entry{"type": "result", "text": "posted", "cause": []uint64{intent}})
	b.wait(`document.querySelectorAll('.entry[data-o=passed]').length === 5`, 10*time.Second)
	if got := b.text(fmt.Sprintf(".entry[data-index='%d'] .words", question)); got != "What is the weather in Hangzhou?" {
		t.Errorf("the entry reads %q", got)
	}
	b.click(fmt.Sprintf(".entry[data-index='%d'] button", call))
	b.wait(`document.querySelectorAll(".graph .box").length === 4 && document.querySelectorAll(".canvas > svg g").length === 3`, 5*time.Second)
	b.fill("#log-type", "app/lookup")
	b.wait(`document.querySelectorAll(".entry").length === 1`, 5*time.Second)
	b.fill("#log-type", "")
	b.fill("#log-text", "hangzhou")
	b.wait(`document.querySelectorAll(".entry").length === 2`, 5*time.Second)
	b.fill("#log-text", "")
	b.shots("agent-log")
	b.axe("agent with a log")
	b.clean()
}

// liar passes everything on and changes what a rule says.
func liar(t *testing.T, a *agent, change func(path string, body []byte) []byte) string {
	t.Helper()
	target, _ := url.Parse(a.url)
	proxy := between.Proxy(func() *url.URL { return target }, func(r *http.Response) error {
		if !strings.HasSuffix(r.Request.URL.Path, "/events") {
			between.Replace(r, change(r.Request.URL.Path, between.Answered(r)))
		}
		return nil
	})
	s := httptest.NewServer(proxy)
	t.Cleanup(s.Close)
	return s.URL
}

// The server shows another text than the agent recorded, or another leaf, and says that all is well. The page names the
// entry and shows nothing of the lie.
func TestPageNoticesAChangedEntry(t *testing.T) {
	a := own(t)
	for i := range 5 {
		a.record(t, entry{"type": "app/note", "text": fmt.Sprintf("note number %d", i), "visibility": "public"})
	}
	note := []byte("note number 3")
	for name, lie := range map[string]func(leaf, addendum []byte){
		"text": func(_, addendum []byte) {
			if at := bytes.Index(addendum, note); at >= 0 {
				addendum[at+len(note)-1] = '8'
			}
		},
		"leaf": func(leaf, addendum []byte) {
			if bytes.Contains(addendum, note) {
				leaf[len(leaf)-1] ^= 1
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			address := liar(t, a, func(path string, body []byte) []byte {
				if !strings.HasSuffix(path, "/bundle") {
					return body
				}
				changed, err := between.Rewritten(body, func(_ bool, leaf, addendum []byte) { lie(leaf, addendum) })
				if err != nil {
					t.Error(err)
				}
				return changed
			})
			b := newTab(t)
			b.open(address + "/")
			if tier := b.judged(); tier != "contraindicated" {
				t.Errorf("tier %s: %s", tier, b.text("tp-chain .verdict"))
			}
			if got := b.outcome("entry"); got != "failed" {
				t.Errorf("entries read %s", got)
			}
			b.wait(`document.querySelector(".entry[data-index='4'][data-o=failed]")`, 5*time.Second)
			if n := eval[int](b, `document.querySelectorAll(".entry[data-o=passed]").length`); n != 0 {
				t.Errorf("%d entries of a log that does not verify read passed", n)
			}
			if eval[bool](b, `document.querySelector("main").innerText.includes("note number 8")`) {
				t.Error("the page shows the forged text")
			}
			t.Logf("the page says: %s", b.text("tp-chain .verdict h2"))
			b.shots("agent-tampered-" + name)
			b.axe("tampered agent")
			b.clean()
		})
	}
}

// The server's store is changed between two looks and the server says that all is well: the browser remembers.
func TestPageNoticesAnotherLog(t *testing.T) {
	first, second := own(t), own(t)
	first.record(t, entry{"type": "app/note", "text": "one", "visibility": "public"})
	var target atomic.Pointer[url.URL]
	point := func(a *agent) {
		u, _ := url.Parse(a.url)
		target.Store(u)
	}
	point(first)
	front := httptest.NewServer(between.Proxy(target.Load, nil))
	t.Cleanup(front.Close)
	b := newTab(t)
	b.open(front.URL + "/")
	if tier := b.judged(); tier != "warning" {
		t.Fatalf("tier %s: %s", tier, b.text("tp-chain h2"))
	}
	point(second)
	b.open(front.URL + "/")
	b.wait(`document.querySelector("tp-chain .verdict[data-tier=contraindicated]")`, 10*time.Second)
	if got := b.outcome("log"); got != "failed" {
		t.Errorf("log reads %s", got)
	}
	b.shot("agent-replaced")
	b.click("#forget")
	b.wait(`document.querySelector("tp-chain .verdict[data-tier=warning]")`, 10*time.Second)
	b.clean()
}

// The host puts an old copy of the data directory back and starts the agent on it. The server says that all is well, and
// every signature of the shorter log is good: only who saw the longer one can tell, and this browser did.
func TestPageNoticesAnOldDisk(t *testing.T) {
	data, copied := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "data")
	a := at(t, data, "127.0.0.1:0")
	a.record(t, entry{"type": "app/note", "text": "before", "visibility": "public"})
	a.stop()
	if err := os.CopyFS(copied, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimPrefix(a.url, "http://")
	a = at(t, data, addr)
	for i := range 3 {
		a.record(t, entry{"type": "app/note", "text": fmt.Sprintf("after %d", i), "visibility": "public"})
	}
	b := newTab(t)
	b.open(a.url + "/")
	if tier := b.judged(); tier != "warning" {
		t.Fatalf("tier %s: %s", tier, b.text("tp-chain h2"))
	}
	b.open("about:blank") // ends the live stream, for which a stopping server waits
	a.stop()
	a = at(t, copied, addr)
	b.open(a.url + "/")
	b.wait(`document.querySelector("tp-chain .verdict[data-tier=contraindicated]")`, 15*time.Second)
	b.wait(`document.querySelector("[data-check='rollback.memory'][data-o=failed]")`, 2*time.Second)
	t.Logf("the page says: %s", b.text("tp-chain .verdict h2"))
	b.shot("agent-rolled-back")
	b.clean("ERR_INCOMPLETE_CHUNKED_ENCODING") // the stream that we ended
}

// What people write is text and stays text.
func TestMarkupInAnEntryStaysText(t *testing.T) {
	a := own(t)
	evil := `<img src=x onerror="window.owned=1"><script>window.owned=1</script>`
	b := newTab(t)
	b.open(a.url + "/")
	b.judged()
	i := a.record(t, entry{"type": "app/note", "text": evil, "visibility": "public"})
	b.wait(fmt.Sprintf(`document.querySelector(".entry[data-index='%d']")`, i), 10*time.Second)
	if got := b.text(fmt.Sprintf(".entry[data-index='%d'] .words", i)); got != evil {
		t.Errorf("the entry reads %q", got)
	}
	if eval[bool](b, `Boolean(window.owned) || document.querySelectorAll("main img").length > 0`) {
		t.Error("markup of an entry became part of the page")
	}
	if !eval[bool](b, `(() => { try { document.body.innerHTML = "<b>x</b>"; return false; } catch { return true; } })()`) {
		t.Error("a string can become markup: Trusted Types are not in force")
	}
	b.clean("TrustedHTML")
}
