//go:build browser

package browsertest

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

// A long log: 10,000 entries verified in the worker while the page answers within a blink. TEAPOT_ENTRIES sets the number.
func TestLongLogDoesNotFreezeThePage(t *testing.T) {
	n := 10_000
	if os.Getenv("TEAPOT_ENTRIES") != "" {
		fmt.Sscan(os.Getenv("TEAPOT_ENTRIES"), &n)
	}
	a := own(t)
	begun := time.Now()
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := w; i < n; i += 64 {
				a.record(t, entry{"type": "app/note", "text": fmt.Sprintf("note %d", i), "visibility": "public"})
			}
		})
	}
	wg.Wait()
	t.Logf("%d entries appended over HTTP in %v", n, time.Since(begun).Round(time.Millisecond))
	b := newTab(t)
	// The longest time between two animation frames is how long the page could not answer.
	b.before(`window.longest = 0; addEventListener("load", () => { let last = performance.now(); const beat = () => { const now = performance.now(); window.longest = Math.max(window.longest, now - last); last = now; requestAnimationFrame(beat); }; requestAnimationFrame(beat); });`)
	begun = time.Now()
	b.open(a.url + "/")
	b.wait(`document.documentElement.dataset.scope === "whole"`, 90*time.Second)
	whole := time.Since(begun)
	b.wait(fmt.Sprintf(`document.querySelector("tp-log [role=status]").textContent.includes("%d")`, n+1), 10*time.Second)
	longest := eval[float64](b, "window.longest")
	t.Logf("first verdict %s ms, all %d entries verified after %v, longest pause of the page %.0f ms", eval[string](b, "document.documentElement.dataset.verdict"), n+1, whole.Round(time.Millisecond), longest)
	if longest > 500 {
		t.Errorf("the page stood still for %.0f ms", longest)
	}
	if tier := b.judged(); tier != "warning" {
		t.Errorf("tier %s: %s", tier, b.text("tp-chain h2"))
	}
	b.clean()
}
