package bootstrap

import (
	"context"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/agent/plugin"
)

func timeProvider() plugin.Provider {
	return plugin.Provider{Name: "time", Get: func(_ context.Context, c plugin.Call) (string, error) {
		now := c.Runtime.Now().UTC().Format("Monday, January 2, 2006 at 3:04:05 PM") + " UTC"
		return "The current date and time is " + now + ". Use it as the reference for anything that depends on time.", nil
	}}
}

// boredom looks at the last quarter of an hour: who answers much and hears little is bored.
func boredom() plugin.Provider {
	return plugin.Provider{Name: "boredom", Get: func(ctx context.Context, c plugin.Call) (string, error) {
		recent, err := c.Runtime.Recent(ctx, c.Message.Room, 32)
		if err != nil {
			return "", err
		}
		level := 0
		for _, m := range recent {
			if c.Runtime.Now().Sub(m.At) > 15*time.Minute {
				continue
			}
			level += tedium(m)
		}
		return mood(level, c.Runtime.AgentName()), nil
	}}
}

func tedium(m plugin.Message) int {
	switch {
	case m.FromAgent && strings.HasSuffix(m.Text, "!"):
		return 1
	case m.FromAgent:
		return 0
	case strings.ContainsAny(m.Text, "?？"):
		return -1
	case len(m.Text) < 4:
		return 1
	}
	return 0
}

func mood(level int, name string) string {
	switch {
	case level < 0:
		return name + " is curious and follows closely."
	case level < 4:
		return ""
	case level < 8:
		return name + " finds the conversation slow and keeps answers short."
	}
	return name + " is bored and answers only what needs an answer."
}

func factsProvider() plugin.Provider {
	return plugin.Provider{Name: "facts", Get: func(ctx context.Context, c plugin.Call) (string, error) {
		found, err := c.Runtime.Recall(ctx, plugin.Query{Kind: "facts", Room: c.Message.Room, Text: c.Message.Text, Limit: 10})
		if err != nil || len(found) == 0 {
			return "", err
		}
		var list []string
		for _, f := range found {
			list = append(list, "- "+f.Text)
		}
		return "Key facts that " + c.Runtime.AgentName() + " knows:\n" + strings.Join(list, "\n"), nil
	}}
}
