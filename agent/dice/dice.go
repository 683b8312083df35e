// Package dice is the example plugin: everything an Eliza plugin has, in one small file. It reaches nothing but
// plugin.Runtime; a test forbids plugins net, os, os/exec, syscall and unsafe. To use it: "plugins": ["dice"].
package dice

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/teapot-tee/teapot/agent/plugin"
)

// Plugin returns the plugin.
func Plugin() plugin.Plugin {
	return plugin.Plugin{
		Name: "dice", Description: "Rolls dice whose outcome was fixed by nobody",
		Actions:    []plugin.Action{roll()},
		Providers:  []plugin.Provider{luck()},
		Evaluators: []plugin.Evaluator{gambler()},
	}
}

func roll() plugin.Action {
	return plugin.Action{
		Name: "ROLL_DICE", Similes: []string{"THROW_DICE", "ROLL"},
		Description: "Roll dice, as in \"roll 2 dice\". The intent is on the record before the dice fall.",
		Handler:     throw, SuppressInitialMessage: true,
		Examples: [][]plugin.Example{{
			{User: "{{user1}}", Text: "Roll two dice for me"}, {User: "{{user2}}", Text: "Here they go.", Action: "ROLL_DICE"},
		}},
	}
}

var count = regexp.MustCompile(`\b([1-9])\b`)

func throw(ctx context.Context, c plugin.Call) error {
	n := 1
	if m := count.FindString(c.Message.Text); m != "" {
		n, _ = strconv.Atoi(m) // one digit by the pattern
	}
	var faces []string
	for range n {
		face, err := rand.Int(rand.Reader, big.NewInt(6))
		if err != nil {
			return fmt.Errorf("rolling: %w", err)
		}
		faces = append(faces, strconv.FormatInt(face.Int64()+1, 10))
	}
	text := "The dice show " + strings.Join(faces, " and ") + "."
	if err := c.Runtime.Remember(ctx, plugin.Memory{Kind: "facts", Text: text}); err != nil {
		return err
	}
	c.Reply(plugin.Content{Text: text, Action: "ROLL_DICE"})
	return nil
}

func luck() plugin.Provider {
	return plugin.Provider{Name: "luck", Get: func(ctx context.Context, c plugin.Call) (string, error) {
		found, err := c.Runtime.Recall(ctx, plugin.Query{Kind: "facts", Room: c.Message.Room, Text: "The dice show", Limit: 1, Threshold: 0.9})
		if err != nil || len(found) == 0 {
			return "", err
		}
		return "Last roll: " + found[0].Text, nil
	}}
}

func gambler() plugin.Evaluator {
	return plugin.Evaluator{
		Name: "GAMBLER", Description: "Notes who asks for dice again and again",
		Validate: func(_ context.Context, c plugin.Call) bool {
			return c.Message.Ordinal > 0 && c.Message.Ordinal%20 == 0 && strings.Contains(strings.ToLower(c.Message.Text), "dice")
		},
		Handler: func(ctx context.Context, c plugin.Call) error {
			return c.Runtime.Remember(ctx, plugin.Memory{Kind: "facts", Text: "Somebody here likes dice."})
		},
	}
}
