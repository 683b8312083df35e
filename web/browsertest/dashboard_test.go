//go:build browser

package browsertest

import (
	"strings"
	"testing"
	"time"
)

// The dashboard opens to the token, shows what runs, and stops, starts and changes an agent.
func TestDashboard(t *testing.T) {
	a := own(t)
	b := newTab(t)
	b.before(`window.confirm = () => true;`)
	b.open(a.url + "/dashboard")
	b.shots("dashboard-door")
	b.axe("dashboard's door")
	b.fill("#token", strings.Repeat("0", 64))
	b.click("#enter")
	b.wait(`document.querySelector(".door [role=alert]")`, 5*time.Second)
	b.fill("#token", a.token)
	b.click("#enter")
	b.wait(`document.querySelector(".agents li[data-agent]")`, 10*time.Second)
	b.wait(`document.querySelector("tp-chain .verdict[data-tier=warning]")`, 10*time.Second)
	b.wait(`document.querySelectorAll(".certs li").length === 3 && document.querySelectorAll(".facts .copyable").length >= 5`, 10*time.Second)
	a.record(t, entry{"type": "app/note", "text": "for the tail", "visibility": "owner"})
	b.wait(`[...document.querySelectorAll(".tail .words")].some(e => e.textContent === "for the tail")`, 10*time.Second)
	b.shots("dashboard")
	b.axe("dashboard")
	b.click("#start-new")
	b.wait(`document.querySelector("dialog[open] #character")`, 5*time.Second)
	b.fill("#character", "{")
	b.click("dialog[open] button.main")
	b.wait(`document.querySelector("dialog[open] [role=alert]").textContent`, 5*time.Second)
	b.shots("dashboard-character")
	b.axe("dashboard with a sheet")
	b.click("dialog[open] button.plain")
	b.click(".agents .stop")
	b.wait(`document.querySelector("main [role=status], main .error")?.textContent`, 10*time.Second)
	t.Logf("stop says: %s", b.text("main [role=status]"))
	b.click("#leave")
	b.wait(`document.querySelector("#token")`, 5*time.Second)
	if eval[string](b, `sessionStorage.getItem("teapot.token") ?? ""`) != "" {
		t.Error("the token is still kept")
	}
	b.clean("401")
}
