//go:build browser

package browsertest

import (
	"testing"
	"time"
)

// The agent page of a simulated agent: the whole chain holds, under a root that is not Intel's, and that is unmistakable.
func TestAgentPage(t *testing.T) {
	a := own(t)
	b := newTab(t)
	b.open(a.url + "/")
	if tier := b.judged(); tier != "warning" {
		t.Errorf("tier %s: %s", tier, b.text("tp-chain"))
	}
	if !eval[bool](b, `document.querySelector("tp-chain .verdict").firstElementChild.matches(".stripe.simulated")`) {
		t.Error("SIMULATED is not the first thing that the verdict shows")
	}
	for _, link := range []string{"keys", "log", "entry", "session"} {
		if got := b.outcome(link); got == "failed" {
			t.Errorf("%s reads %s", link, got)
		}
	}
	b.wait(`document.querySelectorAll(".qr svg").length === 2`, 5*time.Second)
	b.wait(`document.querySelector(".livedot").dataset.o === "passed"`, 5*time.Second)
	t.Logf("first verdict %s ms after navigation: %s", eval[string](b, "document.documentElement.dataset.verdict"), b.text("tp-chain h2"))
	b.shots("agent")
	b.axe("agent")
	b.clean()
}
