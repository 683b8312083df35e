// Package bootstrap is the plugin that every agent has, as in Eliza: CONTINUE, IGNORE, NONE, muting and following of rooms,
// the time, boredom and facts, and the evaluators that take facts and goals from a conversation. It is an ordinary plugin:
// it reaches the world only through plugin.Runtime.
package bootstrap

import (
	"context"

	"github.com/teapot-tee/teapot/agent/plugin"
)

// Plugin returns the plugin.
func Plugin() plugin.Plugin {
	return plugin.Plugin{
		Name: "bootstrap", Description: "The actions, providers and evaluators that every agent has",
		Actions:    []plugin.Action{continueAction(), ignore(), none(), mute(), unmute(), follow(), unfollow()},
		Providers:  []plugin.Provider{timeProvider(), boredom(), factsProvider()},
		Evaluators: []plugin.Evaluator{getFacts(), updateGoal(), reflection()},
	}
}

func none() plugin.Action {
	return plugin.Action{
		Name: "NONE", Similes: []string{"NO_ACTION", "NO_RESPONSE", "NO_REACTION", "RESPONSE", "REPLY", "DEFAULT"},
		Description: "Say something and do nothing else. The default.", Silent: true,
		Examples: [][]plugin.Example{{{User: "{{user1}}", Text: "How was your day?"}, {User: "{{user2}}", Text: "Quiet. Yours?", Action: "NONE"}}},
	}
}

func ignore() plugin.Action {
	return plugin.Action{
		Name: "IGNORE", Similes: []string{"STOP_TALKING", "STOP_CHATTING", "STOP_CONVERSATION"}, Silent: true,
		Description: "Do not go on with a conversation that is over, or with somebody who is rude.",
		Examples:    [][]plugin.Example{{{User: "{{user1}}", Text: "Go away, bot"}, {User: "{{user2}}", Text: "", Action: "IGNORE"}}},
	}
}

// roomAction makes the actions that change how the agent takes part in a room.
func roomAction(name, description string, similes []string, possible func(plugin.RoomState) bool, change func(*plugin.RoomState)) plugin.Action {
	return plugin.Action{
		Name: name, Description: description, Similes: similes,
		Validate: func(_ context.Context, c plugin.Call) bool { return possible(c.Runtime.Room(c.Message.Room)) },
		Handler: func(ctx context.Context, c plugin.Call) error {
			state := c.Runtime.Room(c.Message.Room)
			change(&state)
			return c.Runtime.SetRoom(ctx, c.Message.Room, state)
		},
	}
}

func mute() plugin.Action {
	return roomAction("MUTE_ROOM", "Say nothing in this room until asked to speak again. Only when asked to be quiet.",
		[]string{"MUTE_CHAT", "MUTE_CONVERSATION", "MUTE_THREAD", "MUTE_CHANNEL"},
		func(s plugin.RoomState) bool { return !s.Muted }, func(s *plugin.RoomState) { s.Muted, s.Followed = true, false })
}

func unmute() plugin.Action {
	return roomAction("UNMUTE_ROOM", "Speak again in a room that was muted.",
		[]string{"UNMUTE_CHAT", "UNMUTE_CONVERSATION", "UNMUTE_THREAD", "UNMUTE_CHANNEL"},
		func(s plugin.RoomState) bool { return s.Muted }, func(s *plugin.RoomState) { s.Muted = false })
}

func follow() plugin.Action {
	return roomAction("FOLLOW_ROOM", "Take part in this room without being addressed. Only when asked to.",
		[]string{"FOLLOW_CHAT", "FOLLOW_CONVERSATION", "FOLLOW_THREAD", "FOLLOW_CHANNEL"},
		func(s plugin.RoomState) bool { return !s.Followed && !s.Muted }, func(s *plugin.RoomState) { s.Followed = true })
}

func unfollow() plugin.Action {
	return roomAction("UNFOLLOW_ROOM", "Stop taking part in this room unless addressed.",
		[]string{"UNFOLLOW_CHAT", "UNFOLLOW_CONVERSATION", "UNFOLLOW_THREAD", "UNFOLLOW_CHANNEL"},
		func(s plugin.RoomState) bool { return s.Followed }, func(s *plugin.RoomState) { s.Followed = false })
}
