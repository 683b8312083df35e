package eliza_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/agent/agenttest"
	"github.com/teapot-tee/teapot/agent/model"
	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/server/eliza"
	"github.com/teapot-tee/teapot/server/limit"
)

// post sends a message from an address, perhaps through a proxy that names another.
func post(h http.Handler, id, peer, forwarded, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/"+id+"/message", strings.NewReader(body))
	r.RemoteAddr = peer
	r.Header.Set("Content-Type", "application/json")
	if forwarded != "" {
		r.Header.Set("X-Forwarded-For", forwarded)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestLimitsCountTheClientsOfATrustedProxy(t *testing.T) {
	a := agenttest.Start(t, nil)
	var fleet agent.Fleet
	if err := fleet.Add(a); err != nil {
		t.Fatal(err)
	}
	const proxy, hello = "127.0.0.1:50000", `{"text":"hello"}`
	h := eliza.New(eliza.Options{Agents: &fleet, Limits: eliza.Limits{Rate: 0.001, Burst: 2}})
	say := func(h http.Handler, client string) int { return post(h, a.ID(), proxy, client, hello).Code }

	proxies, err := limit.ParseProxies([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	behind := proxies.Handler(h)
	got := []int{say(behind, "1.1.1.1"), say(behind, "1.1.1.1"), say(behind, "1.1.1.1"), say(behind, "2.2.2.2"), say(behind, "9.9.9.9, 1.1.1.1")}
	for i, want := range []int{200, 200, 429, 200, 429} {
		if got[i] != want {
			t.Errorf("behind a trusted proxy, message %d: HTTP %d, want %d", i, got[i], want)
		}
	}
	// Nobody is trusted: a stranger cannot give himself a new address with each message.
	for i, want := range []int{200, 200, 429} {
		if got := post(h, a.ID(), "3.3.3.3:1", "4.4.4."+string(rune('0'+i)), hello).Code; got != want {
			t.Errorf("a stranger with a made-up header, message %d: HTTP %d, want %d", i, got, want)
		}
	}
}

// Peers on this machine have no rate of their own, so a reverse proxy that nobody told us of lets everybody through: what
// bounds a flood then is the number of messages in work.
func TestAFloodFromLoopbackIsBounded(t *testing.T) {
	working, release := make(chan struct{}, 64), make(chan struct{})
	a := agenttest.Start(t, func(c *agent.Config) {
		c.Model = agenttest.Model(func(ctx context.Context, r model.Request) (model.Response, error) {
			working <- struct{}{}
			<-release
			return agenttest.Says("done")(ctx, r)
		})
	})
	var fleet agent.Fleet
	if err := fleet.Add(a); err != nil {
		t.Fatal(err)
	}
	h := eliza.New(eliza.Options{Agents: &fleet, Limits: eliza.Limits{Busy: 3, Wait: time.Millisecond}})
	codes := make(chan int, 3)
	for range 3 {
		go func() { codes <- post(h, a.ID(), "127.0.0.1:1", "", `{"text":"in work"}`).Code }()
		<-working
	}
	for range 40 {
		if w := post(h, a.ID(), "127.0.0.1:1", "", `{"text":"too many"}`); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Fatalf("beyond the limit: HTTP %d", w.Code)
		}
	}
	close(release)
	for range 3 {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("in work: HTTP %d", code)
		}
	}
	if code := post(h, a.ID(), "127.0.0.1:1", "", `{"text":"afterwards"}`).Code; code != http.StatusOK {
		t.Errorf("afterwards: HTTP %d", code)
	}
}

func TestNumbersAreIdsAsInJavaScript(t *testing.T) {
	f := start(t)
	for given, id := range map[string]string{"7": "7", "1.5": "1.5", "-0.25": "-0.25", "1e21": "1e+21", "9007199254740993": "9007199254740992"} {
		if status, _, body := f.do(t, jsonPost("/"+idMark+"/message", `{"text":"hi","roomId":`+given+`}`)); status != 200 || !strings.Contains(string(body), uuid.Of(id)) {
			t.Errorf("room %s is not %s: HTTP %d %s", given, id, status, body)
		}
	}
}
