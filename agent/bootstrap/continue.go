package bootstrap

import (
	"context"
	"strings"

	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/prompt"
)

// maxContinues is how often in a row the agent goes on by itself.
const maxContinues = 3

func continueAction() plugin.Action {
	return plugin.Action{
		Name: "CONTINUE", Similes: []string{"ELABORATE", "KEEP_TALKING"}, Silent: true,
		Description: "Go on with a second message when the thought is not complete. Not after a question.",
		Validate:    mayContinue,
		Handler:     goOn,
		Examples: [][]plugin.Example{{
			{User: "{{user1}}", Text: "Tell me about proofs"},
			{User: "{{user2}}", Text: "A proof has two halves.", Action: "CONTINUE"},
			{User: "{{user2}}", Text: "One is what was done, the other is that nothing was left out."},
		}},
	}
}

// mayContinue looks back: after maxContinues in a row somebody else must speak.
func mayContinue(ctx context.Context, c plugin.Call) bool {
	recent, err := c.Runtime.Recent(ctx, c.Message.Room, 2*maxContinues)
	if err != nil {
		return false
	}
	inRow := 0
	for _, m := range recent {
		if m.FromAgent && m.Action == "CONTINUE" {
			inRow++
		} else if m.FromAgent {
			inRow = 0
		}
	}
	return inRow < maxContinues
}

const askContinue = `# Task: decide whether {{agentName}} should say something more before anybody answers.
{{recentMessages}}
{{agentName}} has just said: {{said}}

Answer YES if the thought is plainly unfinished, else NO. Answer with one word.`

// goOn asks a small model whether to go on, and a large one what to say.
func goOn(ctx context.Context, c plugin.Call) error {
	said := strings.TrimSpace(c.Answer.Text)
	if strings.HasSuffix(said, "?") || strings.HasSuffix(said, "!") || strings.HasSuffix(said, "？") || strings.HasSuffix(said, "！") {
		return nil
	}
	state := plugin.State{}
	for k, v := range c.State {
		state[k] = v
	}
	state["said"] = said
	word, err := c.Runtime.Ask(ctx, plugin.Question{Prompt: prompt.Compose(askContinue, state), About: said, Size: plugin.Small, Answer: plugin.YesNo})
	if err != nil {
		return err
	}
	if yes, ok := prompt.Boolean(word); !ok || !yes {
		return nil
	}
	more, err := c.Runtime.Ask(ctx, plugin.Question{Prompt: prompt.Compose(continueTemplate, state), About: said, Size: plugin.Large})
	if err != nil {
		return err
	}
	if answer := prompt.Reply(more); answer.Text != "" && answer.Text != said {
		c.Reply(plugin.Content{Text: answer.Text, Action: "CONTINUE"})
	}
	return nil
}

const continueTemplate = `# Task: write one more message of {{agentName}}, who goes on without waiting for an answer.
About {{agentName}}:
{{bio}}
{{lore}}

{{messageDirections}}
{{recentMessages}}
{{agentName}} has just said: {{said}}

Do not repeat it; add to it. Answer with one JSON block in this form:
` + "```json" + `
{ "user": "{{agentName}}", "text": "what {{agentName}} adds", "action": "NONE" }
` + "```" + `
`
