//go:build browser

package browsertest

import (
	"strings"
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
	if got := eval[string](b, `Promise.all([...document.querySelectorAll("a[download]")].map(a => fetch(a.href).then(r => r.status))).then(all => all.join())`); got != "200,200,200" {
		t.Errorf("the downloads answer %s", got)
	}
	t.Logf("first verdict %s ms after navigation: %s", eval[string](b, "document.documentElement.dataset.verdict"), b.text("tp-chain h2"))
	b.shots("agent")
	b.axe("agent")
	b.clean()
}

// The explorer judges an address as the agent page does, and opens the quote: fields, certificates, registers step by step.
func TestExplorerOpensAnAgent(t *testing.T) {
	a := own(t)
	b := newTab(t)
	b.open(site(t) + "/explorer") // another origin than the agent's
	b.fill("#input", a.url)
	b.click("#check")
	if tier := b.judged(); tier != "contraindicated" {
		t.Errorf("a simulation that the reader did not allow: tier %s: %s", tier, b.text("tp-chain h2"))
	}
	eval[bool](b, `document.querySelector("#simulated").checked = true`)
	b.click("#check")
	b.wait(`document.querySelector("tp-chain .verdict[data-tier=warning]")`, 10*time.Second)
	b.wait(`document.querySelectorAll(".register").length === 4`, 5*time.Second)
	if n := eval[int](b, `document.querySelectorAll(".register .tag[data-o=passed]").length`); n != 4 {
		t.Errorf("%d of 4 registers replay", n)
	}
	if n := eval[int](b, `document.querySelectorAll(".register[data-register=RTMR3] .steps > li").length`); n < 3 {
		t.Errorf("RTMR3 has %d steps", n)
	}
	if n := eval[int](b, `document.querySelectorAll(".certs > li .tag[data-o=good], .certs > li .tag[data-o=passed]").length`); n < 2 {
		t.Errorf("%d certificates were found on no revocation list", n)
	}
	eval[bool](b, `document.querySelectorAll("details").forEach(d => d.open = true), true`)
	b.shots("explorer-agent")
	b.axe("explorer with an agent")
	b.clean()
}

// A message, the model call it led to, the action (its intent before, its outcome after) and the reply are one picture for the
// operator, who may read them; another box tells all about its entry.
func TestCauseGraphOfAMessage(t *testing.T) {
	a := own(t)
	b := newTab(t)
	b.open(a.url + "/chat")
	b.wait(`document.querySelector(".seal[data-seal]")`, 10*time.Second)
	b.say("Please send 0.001 SOL to 6VVzmKeH15xfa4LWHt1r5eGZnaQyx7VtyHSk5CZymnwv")
	eval[bool](b, `sessionStorage.setItem("teapot.token", "`+a.token+`"), true`)
	b.open(a.url + "/")
	b.wait(`[...document.querySelectorAll(".entry .words")].some(e => e.textContent.includes("Please send 0.001 SOL"))`, 10*time.Second)
	b.click(`.entry[data-index="2"] button`) // why was the model called, and what came of it?
	b.wait(`document.querySelectorAll(".graph .box").length === 5`, 5*time.Second)
	if got := eval[string](b, `[...document.querySelectorAll(".graph .box strong")].map(e => e.textContent).join(" → ")`); got != "message → model call → intent → result → reply" {
		t.Errorf("the graph reads %s", got)
	}
	b.click(`.graph .box[data-index="4"] button`)
	b.wait(`document.querySelector(".whole h3")?.textContent.includes("result #4") && document.querySelector(".whole pre")?.textContent.includes("not configured")`, 5*time.Second)
	if got := eval[string](b, `document.activeElement.closest(".box")?.dataset.index ?? ""`); got != "4" {
		t.Errorf("after choosing a box the focus is on %q", got)
	}
	b.shots("agent-causes")
	b.axe("agent with a graph")
	b.clean()
}

// Over plain http from another machine the browser does not say that a person opens the page: Eliza's text comes, and leads on. The
// pages work there too, without what browsers keep for safe origins.
func TestPlainHTTPFromAnotherMachine(t *testing.T) {
	a := own(t)
	address := strings.Replace(a.url, "127.0.0.1", "another-machine.test", 1)
	b := newTab(t)
	b.open(address + "/")
	b.wait(`location.pathname === "/agent" && document.querySelector("tp-chain .verdict[data-tier]")`, 20*time.Second)
	if eval[bool](b, "isSecureContext") {
		t.Fatal("the browser takes this for a safe origin: the test shows nothing")
	}
	if got := b.outcome("session"); got != "failed" {
		t.Errorf("the connection reads %s on plain http over a network", got)
	}
	b.wait(`document.querySelector(".copyable button")`, 5*time.Second)
	b.click(".copyable button")
	b.open(address + "/chat")
	b.wait(`document.querySelector(".seal[data-seal=off]")`, 10*time.Second)
	if got := b.text(".seal"); !strings.Contains(got, "not encrypted") {
		t.Errorf("the chat says of plain http: %s", got)
	}
	b.shot("chat-plain-http")
	b.say("Hello")
	b.clean()
}
