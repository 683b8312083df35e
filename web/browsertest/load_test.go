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
	// While the worker verifies, the page draws frames: one that did the work itself would draw none. The longest time between two of
	// them is how long the page could not answer; it is reported, because it also measures who else uses the machine.
	b.before(`window.longest = 0; window.drawn = 0; addEventListener("load", () => { let last = performance.now(); const beat = () => { const now = performance.now(); window.longest = Math.max(window.longest, now - last); last = now; if (document.querySelector("tp-log [role=status]")?.textContent.includes("Verifying entry")) window.drawn++; requestAnimationFrame(beat); }; requestAnimationFrame(beat); });`)
	begun = time.Now()
	b.open(a.url + "/")
	b.wait(`document.documentElement.dataset.scope === "whole"`, 90*time.Second)
	whole := time.Since(begun)
	b.wait(fmt.Sprintf(`document.querySelector("tp-log [role=status]").textContent.includes("%d")`, n+1), 10*time.Second)
	t.Logf("first verdict %s ms, all %d entries verified after %v, longest pause of the page %.0f ms", eval[string](b, "document.documentElement.dataset.verdict"), n+1, whole.Round(time.Millisecond), eval[float64](b, "window.longest"))
	if drawn := eval[int](b, "window.drawn"); drawn < 5 {
		t.Errorf("the page drew %d frames while %d entries were verified: it stood still", drawn, n+1)
	}
	if tier := b.judged(); tier != "warning" {
		t.Errorf("tier %s: %s", tier, b.text("tp-chain h2"))
	}
	b.clean()
}
