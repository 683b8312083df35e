// Package twitter is Eliza's Twitter client in dry-run form: the agent writes posts from time to time, every one is a public
// intent with a result, and it is sent only if the character allows it and credentials are set; otherwise the result says
// "dry run". It is a plugin and posts through the gate, which puts the token into the request.
package twitter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/prompt"
)

// Endpoint is where posts go; Secret is the name of the bearer token's secret. The operator binds that secret to the host.
const (
	Endpoint = "https://api.twitter.com/2/tweets"
	Host     = "api.twitter.com"
	Secret   = "TWITTER_BEARER_TOKEN"
)

// Options of the client.
type Options struct {
	Send     bool          // false is the dry run
	Every    time.Duration // between posts; 0 posts only when asked
	MaxRunes int           // 0 = 280
}

// Plugin returns the plugin.
func Plugin(o Options) plugin.Plugin {
	if o.MaxRunes <= 0 {
		o.MaxRunes = 280
	}
	c := &client{options: o}
	return plugin.Plugin{
		Name: "twitter", Description: "Posts, on the record before they are public",
		Actions:  []plugin.Action{c.action()},
		Services: []plugin.Service{c},
	}
}

type client struct {
	options Options
	stop    context.CancelFunc
	done    sync.WaitGroup
}

func (c *client) action() plugin.Action {
	return plugin.Action{
		Name: "POST_TWEET", Similes: []string{"TWEET", "SEND_TWEET", "POST"},
		Description: "Write a post in public. Only when the holder of the server's token asks for it.",
		Validate:    func(_ context.Context, call plugin.Call) bool { return call.Message.Authorised },
		Handler: func(ctx context.Context, call plugin.Call) error {
			text, sent, err := c.post(ctx, call.Runtime, call.Answer.Text)
			if err != nil {
				return err
			}
			if !sent {
				text += "\n(dry run: recorded, not sent)"
			}
			call.Reply(plugin.Content{Text: text, Action: "POST_TWEET"})
			return nil
		},
	}
}

// post records the intent, sends if it may, and records the result.
func (c *client) post(ctx context.Context, r plugin.Runtime, text string) (posted string, sent bool, err error) {
	text = strings.TrimSpace(text)
	if runes := []rune(text); len(runes) > c.options.MaxRunes {
		text = prompt.Truncate(string(runes[:c.options.MaxRunes]), c.options.MaxRunes)
	}
	if text == "" {
		return "", false, errors.New("there is nothing to post")
	}
	err = r.Do(ctx, plugin.Intent{Name: "POST_TWEET", Detail: map[string]any{"text": text, "send": c.options.Send}, Public: true}, func(ctx context.Context) (any, error) {
		if !c.options.Send {
			return map[string]any{"sent": false, "why": "dry run"}, nil
		}
		id, err := send(ctx, r, text)
		sent = err == nil
		return map[string]any{"sent": sent, "id": id}, err
	})
	return text, sent, err
}

func send(ctx context.Context, r plugin.Runtime, text string) (id string, err error) {
	body, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		return "", err
	}
	header := map[string]string{"Authorization": "Bearer secret:" + Secret, "Content-Type": "application/json"}
	answer, err := r.Fetch(ctx, plugin.Request{Method: "POST", URL: Endpoint, Header: header, Body: body})
	if err != nil {
		return "", err
	}
	if answer.Status != 201 {
		return "", fmt.Errorf("the service answers HTTP %d", answer.Status)
	}
	var got struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	return got.Data.ID, json.Unmarshal(answer.Body, &got)
}

// ServiceType is the client's name.
func (c *client) ServiceType() string { return "twitter" }

// Start posts from time to time, if so configured.
func (c *client) Start(ctx context.Context, r plugin.Runtime) error {
	ctx, c.stop = context.WithCancel(ctx)
	if c.options.Every <= 0 {
		return nil
	}
	c.done.Go(func() { c.loop(ctx, r) })
	return nil
}

func (c *client) loop(ctx context.Context, r plugin.Runtime) {
	tick := time.NewTicker(c.options.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.spontaneous(ctx, r)
		}
	}
}

// spontaneous writes one post. A failure is on the record; the next tick tries anew.
func (c *client) spontaneous(ctx context.Context, r plugin.Runtime) {
	question := "# Task: write one post of " + r.AgentName() + ", at most " + fmt.Sprint(c.options.MaxRunes) + " characters, without quotes around it. Answer with the post only."
	text, err := r.Ask(ctx, plugin.Question{Prompt: question, Size: plugin.Small})
	if err != nil {
		return
	}
	_, _, _ = c.post(ctx, r, prompt.Reply(text).Text) // the result is on the record
}

// Stop ends the loop.
func (c *client) Stop(context.Context) error {
	if c.stop != nil {
		c.stop()
	}
	c.done.Wait()
	return nil
}
