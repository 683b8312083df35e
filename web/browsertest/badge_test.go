//go:build browser

package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A page of somebody else embeds the badge: one script, one element. It checks in the visitor's browser, and goes grey by
// itself when it cannot check.
func TestBadgeOnAnotherOrigin(t *testing.T) {
	a := own(t)
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><html lang="en" style="color-scheme: light dark"><title>My site</title><main><h1>My site</h1><p>Our agent is attested: <teapot-trust src="%s" allow-simulated every="2" max-age="600"></teapot-trust></p></main><script type="module" src="%s/web/teapot-trust.js"></script></html>`, a.url, a.url)
	}))
	t.Cleanup(host.Close)
	b := newTab(t)
	b.open(host.URL)
	b.wait(`document.querySelector("teapot-trust").getAttribute("state") === "simulated"`, 15*time.Second)
	eval[bool](b, `document.querySelector("teapot-trust").shadowRoot.querySelector("button").click(), true`)
	if n := eval[int](b, `document.querySelector("teapot-trust").shadowRoot.querySelectorAll("li").length`); n != 6 {
		t.Errorf("%d links in the details", n)
	}
	if !eval[bool](b, `(() => { const root = document.querySelector("teapot-trust").shadowRoot, pill = root.querySelector("button"); pill.focus(); document.querySelector("teapot-trust").draw(); return root.activeElement === pill; })()`) {
		t.Error("the badge loses the focus when it draws itself anew")
	}
	b.shots("badge")
	b.axe("badge")
	a.stop()
	b.wait(`document.querySelector("teapot-trust").getAttribute("state") === "grey"`, 15*time.Second)
	b.shot("badge-grey")
}

// Without allow-simulated the badge of a simulated agent is never anything but a contradiction.
func TestBadgeRefusesSimulation(t *testing.T) {
	a := own(t)
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>x</title><teapot-trust src="%s"></teapot-trust><script type="module" src="%s/web/teapot-trust.js"></script></html>`, a.url, a.url)
	}))
	t.Cleanup(host.Close)
	b := newTab(t)
	b.open(host.URL)
	b.wait(`!["", "pending", null].includes(document.querySelector("teapot-trust").getAttribute("state"))`, 15*time.Second)
	state := eval[string](b, `document.querySelector("teapot-trust").getAttribute("state")`)
	if state != "contraindicated" && state != "simulated" {
		t.Errorf("state %s", state)
	}
	t.Logf("without allow-simulated: %s", state)
}
