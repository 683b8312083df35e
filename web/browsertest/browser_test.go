//go:build browser

// Package browsertest drives the pages in Debian's Chromium against the real bin/teapot (scripts/browser.sh).
// Nothing here trusts the page: what a test expects is written down before the page is asked.
package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	cdp "github.com/chromedp/chromedp"
)

// This file is the only one that knows chromedp: its API changes between versions.

// browser starts one Chromium for the whole run.
var browser = sync.OnceValues(func() (context.Context, error) {
	dir, err := os.MkdirTemp("", "teapot-chromium")
	if err != nil {
		return nil, err
	}
	options := append(slices.Clone(cdp.DefaultExecAllocatorOptions[:]),
		cdp.ExecPath(chromium()), cdp.NoSandbox, cdp.DisableGPU, cdp.UserDataDir(dir),
		cdp.Flag("disable-quic", true), cdp.Flag("disable-component-update", true), cdp.Flag("hide-scrollbars", true),
		cdp.Flag("host-resolver-rules", "MAP another-machine.test 127.0.0.1")) // a name that browsers do not take for this machine
	allocator, _ := cdp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := cdp.NewContext(allocator)
	stopBrowser = func() { cancel(); _ = os.RemoveAll(dir) }
	return ctx, cdp.Do(ctx)
})

var stopBrowser = func() {}

func chromium() string {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path
	}
	return "/usr/bin/chromium"
}

func TestMain(m *testing.M) {
	code := m.Run()
	stopBrowser()
	os.Exit(code)
}

// tab is one page of the browser. It fails the test when the page logged an error or threw.
type tab struct {
	t   *testing.T
	ctx context.Context
	mu  sync.Mutex
	bad []string
}

// viewports of the screenshots.
var (
	desktop = [2]int64{1280, 900}
	phone   = [2]int64{390, 844}
)

// newTab opens a blank page with the desktop's size.
func newTab(t *testing.T) *tab {
	t.Helper()
	parent, err := browser()
	if err != nil {
		t.Fatalf("starting %s: %v", chromium(), err)
	}
	ctx, cancel := cdp.NewContext(parent)
	ctx, stop := context.WithTimeout(ctx, 5*time.Minute)
	b := &tab{t: t, ctx: ctx}
	t.Cleanup(func() { stop(); cancel() })
	b.do(cdp.EmulateViewport(desktop[0], desktop[1]))
	messages := cdp.Console(ctx)
	go b.listen(messages)
	return b
}

func (b *tab) listen(messages func(func(cdp.ConsoleMessage, error) bool)) {
	for m, err := range messages {
		if err != nil {
			return
		}
		if m.Type == cdp.ConsoleException || m.Type == "error" {
			b.mu.Lock()
			b.bad = append(b.bad, fmt.Sprintf("%s: %s", m.Type, m.Text))
			b.mu.Unlock()
		}
	}
}

// clean fails the test on anything the page complained about, except messages that contain one of the expected words
// (the browser itself logs every HTTP error).
func (b *tab) clean(expected ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, text := range b.bad {
		if !slices.ContainsFunc(expected, func(word string) bool { return strings.Contains(text, word) }) {
			b.t.Errorf("the page complained: %s", text)
		}
	}
}

func (b *tab) do(steps ...cdp.Action[cdp.Void]) {
	b.t.Helper()
	if err := cdp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// open navigates and waits for the load event.
func (b *tab) open(url string) { b.t.Helper(); b.do(cdp.Navigate(url)) }

// before runs a script in every page before its own scripts.
func (b *tab) before(script string) {
	b.t.Helper()
	_, err := cdp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	if err != nil {
		b.t.Fatal(err)
	}
}

// eval returns the value of an expression in the page; promises are awaited.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := cdp.Run(b.ctx, cdp.Evaluate[T](expression, cdp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// text of the first element that a selector matches; "" when none does.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf(`document.querySelector(%q)?.textContent ?? ""`, selector))
}

// patience stretches every limit: a limit is there to end a test that fails, not to measure a machine that may be busy with others.
const patience = 4

// wait waits until an expression is true, at most so long (times patience), and says what the page showed when it never was.
func (b *tab) wait(expression string, limit time.Duration) {
	b.t.Helper()
	deadline := time.Now().Add(patience * limit)
	for !eval[bool](b, "Boolean("+expression+")") {
		if time.Now().After(deadline) {
			b.shot("timeout-" + b.t.Name())
			b.t.Fatalf("still not true after %v: %s\nthe page reads:\n%s", limit, expression, eval[string](b, "document.querySelector('main').innerText"))
		}
		time.Sleep(30 * time.Millisecond)
	}
}

// click clicks what a person could: the element must be there, visible, enabled and not covered. All of it happens in one step
// inside the page, because pages draw anew while entries arrive: between a driver's finding a place and its pressing the mouse
// there, another element can have moved under it.
func (b *tab) click(selector string) {
	b.t.Helper()
	script := fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		if (!e || !e.checkVisibility()) return "is not there";
		if (e.disabled) return "is disabled";
		e.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
		const r = e.getBoundingClientRect(), top = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
		if (top && !e.contains(top) && !top.contains(e)) return "is covered by " + top.outerHTML.slice(0, 80);
		e.focus();
		e.click();
		return "";
	})()`, selector)
	deadline := time.Now().Add(10 * time.Second)
	for problem := ""; ; {
		if problem = eval[string](b, script); problem == "" {
			return
		}
		if time.Now().After(deadline) {
			b.shot("no-click-" + b.t.Name())
			b.t.Fatalf("%s %s", selector, problem)
		}
		time.Sleep(30 * time.Millisecond)
	}
}

// fill replaces the text of a field.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	quoted, _ := json.Marshal(text)
	eval[bool](b, fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.value = %s; e.dispatchEvent(new Event("input", {bubbles: true})); e.dispatchEvent(new Event("change", {bubbles: true})); return true; })()`, selector, quoted))
}

// choose gives files to a file picker.
func (b *tab) choose(selector string, files ...string) {
	b.t.Helper()
	for i, f := range files {
		files[i], _ = filepath.Abs(f)
	}
	b.do(cdp.SetUploadFiles(cdp.CSS(selector), files))
}

// look sets size and colours.
func (b *tab) look(size [2]int64, scheme string) {
	b.t.Helper()
	b.do(cdp.EmulateViewport(size[0], size[1]))
	_, err := cdp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// shot keeps a picture of the whole page in artefacts/web.
func (b *tab) shot(name string) {
	b.t.Helper()
	picture, err := cdp.Run(b.ctx, cdp.FullScreenshot(100))
	if err != nil {
		b.t.Logf("no screenshot: %v", err)
		return
	}
	dir := filepath.Join(root, "artefacts", "web")
	_ = os.MkdirAll(dir, 0o755)
	if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, "/", "-")+".png"), picture, 0o644); err != nil {
		b.t.Error(err)
	}
}

// shots takes the page in both sizes and both colours.
func (b *tab) shots(name string) {
	b.t.Helper()
	for size, px := range map[string][2]int64{"desktop": desktop, "phone": phone} {
		for _, scheme := range []string{"light", "dark"} {
			b.look(px, scheme)
			if wide := eval[int](b, "document.documentElement.scrollWidth - innerWidth"); wide > 0 {
				b.t.Errorf("%s at %s width scrolls sideways by %d px: %s", name, size, wide, eval[string](b, `[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth && !e.closest(".scroll")).slice(0, 6).map(e => e.tagName + "." + e.className).join(", ")`))
			}
			b.shot(fmt.Sprintf("%s-%s-%s", name, size, scheme))
		}
	}
	b.look(desktop, "light")
}

// root of the repository.
const root = "../.."
