//go:build browser

package browsertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The dashboard opens to the token, says clearly that another one is refused, and shows what runs.
func TestDashboard(t *testing.T) {
	a := own(t)
	b := newTab(t)
	b.before(`window.confirm = () => true;`)
	b.open(a.url + "/dashboard")
	b.shots("dashboard-door")
	b.axe("dashboard's door")
	b.fill("#token", strings.Repeat("0", 64))
	b.click("#enter")
	b.wait(`document.querySelector(".door [role=alert]")?.textContent.includes("refused this token")`, 5*time.Second)
	if got := eval[string](b, `document.activeElement.id + (document.activeElement.hasAttribute("aria-invalid") ? " invalid" : "")`); got != "token invalid" {
		t.Errorf("after a refused token the focus is on %q", got)
	}
	b.shot("dashboard-refused")
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
	b.click("#leave")
	b.wait(`document.querySelector("#token")`, 5*time.Second)
	if eval[string](b, `sessionStorage.getItem("teapot.token") ?? ""`) != "" {
		t.Error("the token is still kept")
	}
	b.clean("401")
}

// second is a character beside the built-in one.
const second = `{"name": "Oolong", "id": "11111111-2222-4333-8444-555555555555", "modelProvider": "openai", "bio": ["A second agent."], "lore": [],
"messageExamples": [], "postExamples": [], "topics": ["tea"], "adjectives": [], "clients": [], "plugins": [], "style": {"all": [], "chat": [], "post": []}}`

const oolong = "11111111-2222-4333-8444-555555555555"

// The operator starts an agent, changes it, stops it and starts it again; each is seen on the server and in the agent's log,
// and the page shows verdict and log of whichever agent is chosen.
func TestDashboardActs(t *testing.T) {
	a := own(t)
	b := newTab(t)
	b.before(`window.confirm = (question) => { window.asked = question; return true; };`)
	b.open(a.url + "/dashboard")
	b.fill("#token", a.token)
	b.click("#enter")
	b.tailOf(a.id, 1)
	b.begin("#start-new", second)
	b.says("The agent runs")
	b.tailOf(oolong, 1)
	if got := a.says(t, oolong, "hello"); got != http.StatusOK {
		t.Fatalf("the started agent answers %d", got)
	}
	b.tailOf(oolong, 4) // start, message, model call, reply
	b.click(fmt.Sprintf(".agents li[data-agent='%s'] .pick", a.id))
	b.tailOf(a.id, 1)
	if got := b.text("tp-dashboard h2:nth-of-type(1) ~ ol"); strings.Contains(got, "hello") {
		t.Errorf("the tail of the first agent shows the second one's: %s", got)
	}
	b.shots("dashboard-two")
	b.axe("dashboard with two agents")

	b.click(rowOf(oolong) + " .set")
	b.wait(`JSON.parse(document.querySelector("dialog[open] #character")?.value ?? "{}").name === "Oolong"`, 5*time.Second)
	b.fill("#character", strings.Replace(second, "A second agent.", "A changed agent.", 1))
	b.click("dialog[open] button.main")
	b.says("Oolong runs with the new character")
	b.tailOf(oolong, 5)
	if starts := eval[int](b, `[...document.querySelectorAll(".entry.tail .icon-boot")].length`); starts != 2 {
		t.Errorf("a changed character makes %d starts in the log, not 2", starts)
	}
	if got := a.character(t, oolong); !strings.Contains(got, "A changed agent.") {
		t.Errorf("the server runs %s", got)
	}

	b.click(rowOf(oolong) + " .set")
	b.wait(`document.querySelector("dialog[open] #character")?.value.includes("changed")`, 5*time.Second)
	b.fill("#character", strings.Replace(second, oolong, a.id, 1))
	b.click("dialog[open] button.main")
	b.wait(`document.querySelector("dialog[open] [role=alert]")?.textContent.includes("one log has one agent")`, 5*time.Second)
	b.click("dialog[open] button.plain")

	b.click(rowOf(oolong) + " .stop")
	b.says("Oolong is stopped")
	b.wait(fmt.Sprintf(`document.querySelector("%s").dataset.running === "false"`, rowOf(oolong)), 5*time.Second)
	if asked := eval[string](b, "window.asked"); !strings.Contains(asked, "Oolong") {
		t.Errorf("before stopping the page asks %q", asked)
	}
	if got := a.says(t, oolong, "are you there?"); got != http.StatusNotFound {
		t.Errorf("a stopped agent answers %d", got)
	}
	if got := a.says(t, a.id, "and you?"); got != http.StatusOK {
		t.Errorf("the other agent answers %d", got)
	}
	b.begin(rowOf(oolong)+" .start", "") // the sheet holds the character it ran with
	b.says("The agent runs")
	b.tailOf(oolong, 6)
	if got := a.says(t, oolong, "again"); got != http.StatusOK {
		t.Errorf("the agent that was started again answers %d", got)
	}
	b.clean("400")
}

// A token that stops being the right one leads back to the door, with the reason.
func TestDashboardNoticesAChangedToken(t *testing.T) {
	a := own(t)
	b := newTab(t)
	b.before(`window.confirm = () => true;`)
	b.open(a.url + "/dashboard")
	b.fill("#token", a.token)
	b.click("#enter")
	b.tailOf(a.id, 1)
	// In one step: the page also asks by itself every few seconds, and would find out before the click.
	eval[bool](b, `(() => { const ask = window.fetch; window.fetch = (u, o) => ask(u, o?.headers?.Authorization ? {...o, headers: {...o.headers, Authorization: "Bearer 0"}} : o); document.querySelector("`+rowOf(a.id)+` .stop").click(); return true; })()`)
	b.wait(`document.querySelector(".door [role=alert]")?.textContent.includes("refused this token")`, 10*time.Second)
	if got := a.says(t, a.id, "still there?"); got != http.StatusOK {
		t.Errorf("the agent answers %d after a refused stop", got)
	}
	b.clean("401")
}

func rowOf(agent string) string { return fmt.Sprintf(".agents li[data-agent='%s']", agent) }

// tailOf waits until an agent is chosen, its verdict stands, and so many of its entries are in the tail.
func (b *tab) tailOf(agent string, entries int) {
	b.t.Helper()
	b.wait(fmt.Sprintf(`document.querySelector("%s .pick[aria-pressed=true]") && document.querySelector("tp-chain .verdict[data-tier=warning]") && document.querySelectorAll(".entry.tail[data-o=passed]").length === %d`, rowOf(agent), entries), 20*time.Second)
}

// says waits for the page's word on what was just done.
func (b *tab) says(word string) {
	b.t.Helper()
	b.wait(fmt.Sprintf(`document.querySelector("#said").textContent.includes(%q)`, word), 15*time.Second)
}

// begin opens a sheet, writes a character into it ("": leaves the one that is there) and applies it.
func (b *tab) begin(selector, character string) {
	b.t.Helper()
	b.click(selector)
	b.wait(`document.querySelector("dialog[open] #character")`, 5*time.Second)
	if character != "" {
		b.fill("#character", character)
	}
	b.click("dialog[open] button.main")
}

// says sends a message as a client of Eliza's API does and returns the status of the answer.
func (a *agent) says(t *testing.T, agent, text string) int {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"text": text})
	resp, err := http.Post(a.url+"/"+agent+"/message", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// character is what the server says an agent runs with.
func (a *agent) character(t *testing.T, agent string) string {
	t.Helper()
	resp, err := http.Get(a.url + "/agents/" + agent)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	return string(raw)
}
