package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/agent/json5"
	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/prompt"
)

// act does what the model chose and returns the elements of the answer: the model's own text, and what the action said last.
func (t *turn) act(ctx context.Context, said plugin.Content, answer prompt.Answer) []plugin.Content {
	action, ok := t.choose(ctx, said.Action)
	if !ok {
		if t.refused != "" {
			said.Text = strings.TrimSpace(said.Text + "\n(" + t.refused + ")")
		}
		return []plugin.Content{said}
	}
	last, err := t.handle(ctx, action, said, answer)
	if err != nil {
		t.agent.config.Logger.WarnContext(ctx, "an action failed", "action", action.Name, "error", err)
		last = &plugin.Content{User: t.agent.Name(), Text: failed(action.Name, err), Action: action.Name}
	}
	switch {
	case last == nil:
		return []plugin.Content{said}
	case action.SuppressInitialMessage || said.Text == "":
		return []plugin.Content{*last}
	}
	return []plugin.Content{said, *last}
}

// choose finds the action and asks whether it is possible now. A name that is not in the prompt's list is not done: the
// model may have been talked into it.
func (t *turn) choose(ctx context.Context, name string) (plugin.Action, bool) {
	action, ok := t.agent.find(name)
	if !ok || action.Handler == nil {
		return action, false
	}
	if !slices.Contains(t.possible, action.Name) && !t.valid(ctx, action) {
		t.refused = "I cannot do " + action.Name + " here."
		return action, false
	}
	return action, true
}

// handle runs a handler: an intent before and a result after, unless the action has no effect outside the conversation.
func (t *turn) handle(ctx context.Context, action plugin.Action, said plugin.Content, answer prompt.Answer) (last *plugin.Content, err error) {
	call := t.callOf(said, options(answer.Options))
	call.Reply = func(c plugin.Content) {
		if c.User == "" {
			c.User = t.agent.Name()
		}
		last = &c
	}
	run := func(ctx context.Context) (any, error) {
		return nil, guarded(ctx, action.Name, func() error { return action.Handler(ctx, call) })
	}
	if action.Silent {
		_, err = run(ctx)
		return last, err
	}
	err = t.Do(ctx, plugin.Intent{Name: action.Name, Detail: call.Options}, run)
	return last, err
}

func options(v json5.Value) json.RawMessage {
	if v.Kind != json5.Object {
		return nil
	}
	raw := v.Append(nil)
	if len(raw) > 8<<10 {
		return nil
	}
	return raw
}

// guarded turns a panic into an error.
func guarded(_ context.Context, what string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s panicked: %v", what, p)
		}
	}()
	return f()
}

func failed(name string, err error) string {
	if errors.Is(err, plugin.ErrNotConfigured) {
		return "I cannot do that: " + err.Error() + "."
	}
	return "That did not work (" + name + "): " + bounded(err.Error()) + "."
}

func (t *turn) callOf(answer plugin.Content, options json.RawMessage) plugin.Call {
	return plugin.Call{Runtime: t, Message: t.message, State: t.state, Answer: answer, Options: options, Reply: func(plugin.Content) {}}
}
