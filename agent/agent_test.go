package agent_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/agent/agenttest"
	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/tlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	room = uuid.Of("room")
	user = uuid.Of("user")
)

func say(t *testing.T, a *agent.Agent, text string) agent.Out {
	t.Helper()
	out, err := a.Message(t.Context(), agent.In{Room: room, User: user, UserName: "Ada", Text: text})
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return out
}

func TestAMessageIsAnsweredRecordedAndProven(t *testing.T) {
	a := agenttest.Start(t, nil)
	out := say(t, a, "hello")
	if len(out.Contents) != 1 || out.Contents[0].Text == "" || out.Contents[0].User != "Teapot" {
		t.Fatalf("answer %+v", out.Contents)
	}
	var reply tlog.Leaf
	if err := reply.Decode(out.Reply.Leaf); err != nil {
		t.Fatal(err)
	}
	if reply.Type != "reply" || len(reply.Cause) != 2 || reply.Cause[0] != out.Message.Index || reply.Cause[1] != out.Message.Index+1 {
		t.Errorf("reply is a %s caused by %v; the message is %d", reply.Type, reply.Cause, out.Message.Index)
	}
	r, err := tlog.ParseReceipt(out.Receipt)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Receipt) > tlog.MaxReceipt || len(r.Entries) != 2 || r.Entries[1].Index != out.Reply.Index || r.Entries[0].Room != room {
		t.Errorf("receipt of %d bytes: %+v", len(out.Receipt), r.Entries)
	}
}

func TestItRemembersAcrossRestarts(t *testing.T) {
	dir := t.TempDir()
	ask := func(text string) (answer string) {
		t.Run("start", func(t *testing.T) {
			p := agenttest.NewPlace(t, dir)
			t.Cleanup(func() { p.Store.Close() })
			answer = say(t, p.Start(t, nil), text).Contents[0].Text
		})
		return answer
	}
	ask("My name is Grace")
	if got := ask("What is my name?"); !strings.Contains(got, "Grace") {
		t.Errorf("after a restart it says %q", got)
	}
}

func TestWalletAddresses(t *testing.T) {
	a := agenttest.Start(t, func(c *agent.Config) { c.Wallets = agenttest.Wallets(t) })
	for _, question := range []string{"what is your wallet address?", "你的钱包地址是什么？"} {
		out := say(t, a, question)
		for _, w := range agenttest.Wallets(t) {
			if !strings.Contains(out.Contents[0].Text, w.Address) {
				t.Errorf("%s: %q lacks %s", question, out.Contents[0].Text, w.Address)
			}
		}
	}
}

func TestEveryStepNamesItsCause(t *testing.T) {
	a := agenttest.Start(t, nil)
	out := say(t, a, "please be quiet")
	if got := out.Contents[0].Action; got != "MUTE_ROOM" {
		t.Fatalf("action %s", got)
	}
	log := agent.LogOf(a)
	var types []string
	for i := out.Message.Index; i <= out.Reply.Index; i++ {
		item, err := log.Entry(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, item.Leaf.Type)
		if i > out.Message.Index && (len(item.Leaf.Cause) == 0 || item.Leaf.Cause[0] < out.Message.Index) {
			t.Errorf("entry %d (%s) is caused by %v", i, item.Leaf.Type, item.Leaf.Cause)
		}
	}
	if got := strings.Join(types, " "); got != "message model intent room result reply" {
		t.Errorf("steps: %s", got)
	}
	if quiet := say(t, a, "are you there?"); len(quiet.Contents) != 0 || quiet.Receipt == nil {
		t.Errorf("a muted agent said %+v", quiet.Contents)
	}
	if loud := say(t, a, "unmute please"); len(loud.Contents) == 0 {
		t.Error("it does not speak again")
	}
}

func TestModelEntryHashesExactBytes(t *testing.T) {
	a := agenttest.Start(t, func(c *agent.Config) { c.Model = agenttest.Says("plain answer") })
	out := say(t, a, "hello")
	item, err := agent.LogOf(a).Entry(t.Context(), out.Message.Index+1)
	if err != nil {
		t.Fatal(err)
	}
	var x struct {
		Provider string `json:"provider"`
		Response string `json:"response_sha256"`
		Request  string `json:"request_sha256"`
	}
	if err := json.Unmarshal(item.Content.Content, &x); err != nil {
		t.Fatal(err)
	}
	want := sha256.Sum256([]byte("plain answer"))
	if x.Provider != "fake" || x.Response != hex.EncodeToString(want[:]) || len(x.Request) != 64 {
		t.Errorf("model entry %+v", x)
	}
	if out.Contents[0].Text != "plain answer" {
		t.Errorf("a plain answer became %q", out.Contents[0].Text)
	}
}

func TestRoundTripIsFast(t *testing.T) {
	a := agenttest.Start(t, func(c *agent.Config) { c.Model = agenttest.Says("ok") })
	say(t, a, "warm up")
	const n = 200
	start := time.Now()
	for range n {
		say(t, a, "hello")
	}
	t.Logf("%.2f ms per message, one client", float64(time.Since(start).Microseconds())/n/1000)
}
