package agent_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/agent/agenttest"
	"github.com/teapot-tee/teapot/agent/character"
	"github.com/teapot-tee/teapot/agent/model"
	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/twitter"
	"github.com/teapot-tee/teapot/tlog"
)

func loaded(t *testing.T, more string) *character.Character {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.json")
	text := strings.Replace(secretive, `"bio":"b"`, `"bio":"b",`+more, 1)
	if strings.Contains(more, `"plugins"`) {
		text = strings.Replace(text, `"plugins":[],`, "", 1)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "oolong.md"), []byte("# Oolong\nOolong is steeped at ninety degrees."), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := character.Load(path, character.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestKnowledgeReachesThePromptAndIsOnTheRecordOnce(t *testing.T) {
	c := loaded(t, `"knowledge":["Sencha is steeped at seventy degrees.",{"path":"oolong.md","shared":true}]`)
	dir := t.TempDir()
	var sizes []uint64
	for range 2 {
		t.Run("start", func(t *testing.T) {
			p := agenttest.NewPlace(t, dir)
			t.Cleanup(func() { p.Store.Close() })
			var prompt string
			a := p.Start(t, func(cfg *agent.Config) {
				cfg.Character = c
				cfg.Model = agenttest.Model(func(ctx context.Context, r model.Request) (model.Response, error) {
					prompt = r.Prompt
					return agenttest.Says("ok")(ctx, r)
				})
			})
			sizes = append(sizes, a.Log().Size())
			say(t, a, "how is oolong steeped?")
			if !strings.Contains(prompt, "# Knowledge\n- # Oolong\nOolong is steeped at ninety degrees.") {
				t.Errorf("prompt: %.600s", prompt)
			}
		})
	}
	if sizes[0] != 3 || sizes[1] != 3+3+1 { // boot, two pieces; then message, model, reply and a boot more
		t.Errorf("sizes after the starts: %v", sizes)
	}
}

func TestMissingKnowledgeIsAnError(t *testing.T) {
	c := loaded(t, `"knowledge":[{"path":"nosuch.md"}]`)
	p := agenttest.NewPlace(t, t.TempDir())
	t.Cleanup(func() { p.Store.Close() })
	err := p.TryStart(t, func(cfg *agent.Config) { cfg.Character = c })
	if err == nil || !strings.Contains(err.Error(), "knowledge.0") || !strings.Contains(err.Error(), "nosuch.md") {
		t.Errorf("got %v", err)
	}
}

func TestTheExamplePlugin(t *testing.T) {
	a := agenttest.Start(t, func(cfg *agent.Config) {
		cfg.Character = loaded(t, `"plugins":["teapot/dice","@elizaos/plugin-nosuch"]`)
	})
	out := say(t, a, "roll 2 dice")
	if got := out.Contents[0].Text; !strings.HasPrefix(got, "The dice show ") || !strings.Contains(got, " and ") {
		t.Errorf("it says %q", got)
	}
}

func TestTwitterIsADryRun(t *testing.T) {
	a := agenttest.Start(t, func(cfg *agent.Config) {
		cfg.Plugins = []plugin.Plugin{twitter.Plugin(twitter.Options{})}
		cfg.Model = agenttest.Says(`{"text":"` + strings.Repeat("tea ", 100) + `","action":"POST_TWEET"}`)
	})
	if out := say(t, a, "tweet something"); strings.Contains(out.Contents[0].Text, "dry run") {
		t.Errorf("a stranger made it post: %q", out.Contents[0].Text)
	}
	out, err := a.Message(t.Context(), agent.In{Room: room, User: user, Text: "tweet something", Speaker: tlog.SpeakerToken})
	if err != nil || !strings.Contains(out.Contents[len(out.Contents)-1].Text, "dry run") {
		t.Fatalf("%v %+v", err, out.Contents)
	}
	var posted struct {
		Action string
		Detail struct{ Text string }
	}
	item := content(t, a, out.Message.Index+3, &posted)
	if item.Leaf.Type != tlog.TypeIntent || item.Leaf.Content.Visibility != tlog.VisiblePublic || posted.Action != "POST_TWEET" || len([]rune(posted.Detail.Text)) > 280 {
		t.Errorf("the intent: %s %+v", item.Leaf.Type, posted)
	}
}

func TestFactsAreLearnedInTheBackground(t *testing.T) {
	a := agenttest.Start(t, nil)
	say(t, a, "I live in Bergen.")
	for range 7 {
		say(t, a, "hm")
	}
	deadline := time.Now().Add(30 * time.Second) // generous: it only bounds a failure
	for len(a.Memory().All("facts", room)) == 0 {
		if time.Now().After(deadline) {
			t.Fatal("nothing was learned")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if facts := a.Memory().All("facts", room); !strings.Contains(facts[0].Text, "Bergen") {
		t.Errorf("facts: %+v", facts)
	}
}
