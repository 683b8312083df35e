//go:build browser

package browsertest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/web"
)

// The proof path: the explorer as one file from a disk, with no server at all.
func TestSingleFileFromDisk(t *testing.T) {
	page, err := web.SingleFile()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "teapot-explorer.html")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		t.Fatal(err)
	}
	c := corpus(t, "OK", false)
	b := newTab(t)
	b.open("file://" + file)
	if got := b.text("#provenance"); !strings.Contains(got, "Opened from a file") {
		t.Errorf("the page says of itself: %s", got)
	}
	b.judgeAt(c.Now)
	b.choose("#files", shared(t, "corpus", "dcap", c.Dir, "quote.bin"), shared(t, "corpus", "dcap", c.Dir, "collateral.json"))
	b.judged()
	if hardware, tcb := b.outcome("hardware"), b.outcome("tcb"); hardware != "passed" || tcb != "passed" {
		t.Errorf("hardware %s, TCB %s", hardware, tcb)
	}
	b.shot("single-file")
	b.clean()
}

func TestServedPageSaysThatItProvesNothing(t *testing.T) {
	sum, err := web.Hash()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/explorer", "/chat", "/dashboard"} {
		b := newTab(t)
		b.open(site(t) + path)
		b.wait(`document.querySelector("#provenance .hash")`, 5*time.Second)
		got := b.text("#provenance")
		if !strings.Contains(got, "Served by the agent you are checking: convenience, not proof.") || !strings.Contains(got, sum) {
			t.Errorf("%s says: %s", path, got)
		}
	}
}

// The reader's language is chosen once and remembered on every page.
func TestChinese(t *testing.T) {
	a := own(t)
	address := a.url
	b := newTab(t)
	b.open(address + "/explorer")
	eval[bool](b, `sessionStorage.setItem("teapot.token", "`+a.token+`"), true`)
	b.click("#language")
	for _, path := range []string{"/explorer", "/chat", "/dashboard", "/"} {
		b.open(address + path)
		if lang := eval[string](b, "document.documentElement.lang"); lang != "zh-Hans" {
			t.Errorf("%s: lang %s", path, lang)
		}
		if title := b.text("nav") + eval[string](b, "document.title"); strings.Count(title, "验证器") == 0 || strings.Contains(title, "Explorer") {
			t.Errorf("%s: %s", path, title)
		}
		b.wait(`document.querySelector("#ask, .seal[data-seal], tp-chain .verdict[data-tier]")`, 20*time.Second)
		if english := eval[string](b, english); english != "" {
			t.Errorf("%s: in the Chinese page this is English only:\n%s", path, english)
		}
		if path != "/" {
			b.shots("zh" + path)
		}
	}
	b.judged()
	b.speaksChinese()
	b.shots("agent-zh")
	b.axe("agent in Chinese")
	b.click("#language")
	b.wait(`document.querySelector("tp-chain .word")?.textContent === "Warning"`, 5*time.Second)
	b.clean()
}

// speaksChinese fails on a check, a field, a reason or a limit that the page says in English only.
func (b *tab) speaksChinese() {
	b.t.Helper()
	english := eval[string](b, `[...document.querySelectorAll(".check .said, .check h3, .check .remedy, .chain summary small, .not-proven, table.fields small, tp-quote .notice")].map(e => e.textContent).filter(x => !/\p{Script=Han}/u.test(x)).join("\n")`)
	if english != "" {
		b.t.Errorf("in the Chinese page this is English only:\n%s", english)
	}
	if n := eval[int](b, `document.querySelectorAll(".check .said").length`); n < 2 {
		b.t.Errorf("only %d checks are shown", n)
	}
}

// english is what a page says to its reader without one Chinese character: texts of headings, labels, buttons and paragraphs, but no
// values, no names, and nothing that says of itself that it is English.
const english = `[...document.querySelectorAll("main h1, main h2, main h3, main p, main label, main button, main a, main dt, main th, main small, footer p")].filter(e => e.checkVisibility() && !e.closest("[lang=en], .hash, .pick, .entry .words, .agents, option")).map(e => e.textContent.trim()).filter(x => /[a-z]{4}/i.test(x) && !/\p{Script=Han}/u.test(x) && !/^(Teapot|EVM|Solana|[a-z0-9_.]+|[0-9a-f-]{20,}|teapot verify .*)$/.test(x)).join("\n")`
