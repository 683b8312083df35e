package agent

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/prompt"
	"github.com/teapot-tee/teapot/agent/record"
	"github.com/teapot-tee/teapot/agent/uuid"
)

// compose gathers what templates name. Secrets are not among it: a prompt can give away only what is in it.
func (t *turn) compose(ctx context.Context) plugin.State {
	c := t.agent.character
	recent := t.recent(ctx)
	s := plugin.State{
		"agentName": c.Name, "agentId": c.ID, "userId": t.message.User, "roomId": t.message.Room,
		"senderName": t.message.UserName, "system": c.System,
		"bio": strings.Join(some(c.Bio, 3), " "), "lore": strings.Join(some(c.Lore, 10), "\n"),
		"adjective": one(c.Adjectives), "topic": one(c.Topics), "topics": topics(c.Name, some(c.Topics, 5)),
		"messageDirections":        prompt.Header("# Message Directions for "+c.Name, strings.Join(append(slices.Clone(c.StyleAll), c.StyleChat...), "\n")),
		"postDirections":           prompt.Header("# Post Directions for "+c.Name, strings.Join(append(slices.Clone(c.StyleAll), c.StylePost...), "\n")),
		"characterPostExamples":    prompt.Header("# Example Posts for "+c.Name, strings.Join(some(c.PostExamples, 50), "\n")),
		"characterMessageExamples": prompt.Header("# Example Conversations for "+c.Name, t.conversations()),
		"recentMessages":           prompt.Header("# Conversation Messages", prompt.Messages(lines(recent), t.agent.config.Now())),
		"attachments":              attachments(recent, t.agent.config.Now()),
		"knowledge":                t.knowledge(ctx),
	}
	t.history = said(recent, t.message)
	t.state = s
	t.addActions(ctx, s)
	s["providers"] = prompt.Header("# Additional Information About "+c.Name+" and The World", t.provide(ctx))
	return s
}

// recent returns the conversation, oldest first, ending with this message.
func (t *turn) recent(ctx context.Context) []memory.Item {
	items, err := t.agent.config.Memory.Recent(ctx, t.message.Room, t.agent.config.Conversation)
	if err != nil {
		t.agent.config.Logger.WarnContext(ctx, "reading the conversation", "error", err)
	}
	return items
}

func lines(items []memory.Item) []prompt.Line {
	list := make([]prompt.Line, 0, len(items))
	for _, i := range items {
		l := prompt.Line{User: i.User, Name: i.Name, Text: i.Text, Action: i.Action, At: i.At}
		for _, a := range i.Attachments {
			l.Attachments = append(l.Attachments, prompt.Attachment{ID: a.ID, Title: a.Title, URL: a.URL})
		}
		list = append(list, l)
	}
	return list
}

// said is what the same person said before this message.
func said(items []memory.Item, m plugin.Message) (texts []string) {
	for _, i := range items {
		if i.User == m.User && i.Index < m.Index {
			texts = append(texts, i.Text)
		}
	}
	return texts
}

// attachments shows the text of attachments of the last hour.
func attachments(items []memory.Item, now time.Time) string {
	var list []string
	for _, i := range items {
		for _, a := range i.Attachments {
			text := a.Text
			if now.Sub(i.At) > time.Hour {
				text = "[Hidden]"
			}
			list = append(list, fmt.Sprintf("ID: %s\nName: %s\nType: %s\nDescription: %s\nText: %s", a.ID, a.Title, a.ContentType, a.Description, text))
		}
	}
	return prompt.Header("# Attachments", strings.Join(list, "\n\n"))
}

func (t *turn) conversations() string {
	var list []string
	for _, example := range some(t.agent.character.Examples, 5) {
		var lines []string
		for _, l := range example {
			lines = append(lines, l.User+": "+l.Text+actionNote(l.Action))
		}
		list = append(list, names(strings.Join(lines, "\n")))
	}
	return strings.Join(list, "\n\n")
}

// knowledge returns the pieces that are nearest to the message.
func (t *turn) knowledge(ctx context.Context) string {
	if !t.agent.knows() {
		return ""
	}
	found := t.agent.search(ctx, memory.Query{Type: record.Knowledge, Limit: 5, Least: 0.1}, t.message.Text)
	var list []string
	for _, f := range found {
		list = append(list, "- "+f.Text)
	}
	return prompt.Header("# Knowledge", strings.Join(list, "\n"))
}

// addActions lists the actions that are possible now, with examples that are only examples.
func (t *turn) addActions(ctx context.Context, s plugin.State) {
	var list, examples []string
	for _, action := range shuffled(t.agent.actions) {
		if !t.valid(ctx, action) {
			continue
		}
		t.possible = append(t.possible, action.Name)
		list = append(list, action.Name+": "+action.Description)
		for _, e := range some(action.Examples, 1) {
			var lines []string
			for _, l := range e {
				lines = append(lines, l.User+": "+l.Text+actionNote(l.Action))
			}
			examples = append(examples, names(strings.Join(lines, "\n")))
		}
	}
	s["actions"] = prompt.Header("# Available Actions", strings.Join(list, ",\n"))
	s["actionNames"] = strings.Join(t.possible, ", ")
	s["actionExamples"] = prompt.Header("# Action Examples (only examples, not part of the conversation)", strings.Join(some(examples, 10), "\n\n"))
}

func (t *turn) valid(ctx context.Context, action plugin.Action) (ok bool) {
	if action.Validate == nil {
		return true
	}
	defer t.survive(ctx, "validating "+action.Name)
	return action.Validate(ctx, t.callOf(plugin.Content{}, nil))
}

// provide runs the providers. One that fails or panics is left out.
func (t *turn) provide(ctx context.Context) string {
	var list []string
	for _, p := range t.agent.providers {
		if text := t.one(ctx, p); text != "" {
			list = append(list, text)
		}
	}
	return strings.Join(list, "\n")
}

func (t *turn) one(ctx context.Context, p plugin.Provider) string {
	defer t.survive(ctx, "provider "+p.Name)
	text, err := p.Get(ctx, t.callOf(plugin.Content{}, nil))
	if err != nil {
		t.agent.config.Logger.WarnContext(ctx, "a provider failed", "provider", p.Name, "error", err)
		return ""
	}
	return text
}

// survive keeps one plugin's panic from ending the process.
func (t *turn) survive(ctx context.Context, what string) {
	if p := recover(); p != nil {
		t.agent.config.Logger.ErrorContext(ctx, "a plugin panicked", "where", what, "panic", fmt.Sprint(p))
	}
}

func actionNote(action string) string {
	if action == "" {
		return ""
	}
	return " (" + action + ")"
}

func topics(name string, list []string) string {
	if len(list) == 0 {
		return ""
	}
	return name + " is interested in " + strings.Join(list, ", ")
}

// names puts made-up names for {{user1}} and so on.
func names(text string) string {
	people := shuffled([]string{"Ada", "Bo", "Chen", "Dina", "Emeka", "Fatima", "Goro", "Hana"})
	pairs := []string{}
	for i := range 5 {
		pairs = append(pairs, fmt.Sprintf("{{user%d}}", i+1), people[i])
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func shuffled[T any](list []T) []T {
	out := slices.Clone(list)
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// some returns at most n of a list, chosen at random.
func some[T any](list []T, n int) []T {
	out := shuffled(list)
	return out[:min(n, len(out))]
}

func one(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[rand.IntN(len(list))]
}

// RoomID is Eliza's room for a client that names none: made of the path segment as it was given.
func RoomID(given, segment string) string {
	if given == "" {
		given = defaultRoom + segment
	}
	return uuid.Of(given)
}

const defaultRoom = "default-room-"

// SharedRoom says whether a room is one of those that clients share who name none. Whoever speaks there first must not get
// the secret that opens what all the others say later.
func SharedRoom(given string) bool {
	return given == "" || len(given) >= len(defaultRoom) && strings.EqualFold(given[:len(defaultRoom)], defaultRoom)
}
