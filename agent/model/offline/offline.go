// Package offline is the embedded model: a script in the spirit of Weizenbaum's ELIZA of 1966, with rules in English
// and Chinese. It needs no service, key or network, answers the same way every time, and understands nothing.
package offline

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/agent/json5"
	"github.com/teapot-tee/teapot/agent/model"
)

// Name is what the log calls this model; it changes when the script does.
const Name = "teapot-eliza-1"

// Model is the embedded model. The zero value works.
type Model struct{}

var _ model.Model = Model{}

// Complete answers from the script. The exchange's bytes are the turn and the answer, so that the log can commit to
// them as it does for a provider.
func (Model) Complete(ctx context.Context, r model.Request) (model.Response, error) {
	if err := ctx.Err(); err != nil {
		return model.Response{}, err
	}
	text := answer(r.Turn)
	if r.Stream != nil {
		r.Stream(text)
	}
	request, err := json.Marshal(struct {
		Model  string
		System string
		Prompt string
	}{Name, r.System, r.Prompt})
	if err != nil {
		return model.Response{}, err
	}
	return model.Response{Text: text, Exchange: model.Exchange{
		Provider: "offline", Model: Name, Request: request, Response: []byte(text), Attempts: 1,
		Usage: model.Usage{Prompt: len(r.Prompt) / 4, Completion: len(text) / 4},
	}}, nil
}

func answer(t model.Turn) string {
	switch t.Task {
	case model.YesNo:
		return "NO"
	case model.List:
		return facts(t.Text)
	}
	text, action := reply(t)
	return form(t.Agent, text, action)
}

// form writes Eliza's answer form.
func form(agent, text, action string) string {
	v := json5.Value{}.Set("user", json5.Str(agent)).Set("text", json5.Str(text)).Set("action", json5.Str(action))
	return "```json\n" + string(v.Append(nil)) + "\n```"
}

func reply(t model.Turn) (text, action string) {
	said := strings.TrimSpace(t.Text)
	if t := remembered(t); t != "" {
		return t, "NONE"
	}
	for _, r := range script {
		m := r.pattern.FindStringSubmatch(said)
		if m == nil || r.action != "" && !slices.Contains(t.Actions, r.action) {
			continue
		}
		return fill(pick(r.answers, t), m, t), actionOf(r)
	}
	if chinese(said) {
		return fill(pick(otherwiseChinese, t), []string{said}, t), "NONE"
	}
	return fill(pick(otherwise, t), []string{said}, t), "NONE"
}

func actionOf(r rule) string {
	if r.action == "" {
		return "NONE"
	}
	return r.action
}

// pick rotates through the answers as the conversation goes on, and differs between texts; it is deterministic.
func pick(answers []string, t model.Turn) string {
	h := fnv.New32a()
	h.Write([]byte(t.Text))
	return answers[(int(h.Sum32()%97)+len(t.History))%len(answers)]
}

// fill puts the agent's name and the reflected match into an answer.
func fill(answer string, match []string, t model.Turn) string {
	answer = strings.ReplaceAll(answer, "{agent}", t.Agent)
	rest := ""
	if len(match) > 1 {
		rest = match[len(match)-1]
	}
	rest = strings.Trim(rest, " \t\r\n.!?,;。！？，；")
	if r := []rune(rest); len(r) > 120 {
		rest = string(r[:120]) + "…"
	}
	if chinese(rest) {
		return strings.ReplaceAll(answer, "{rest}", reflectChinese(rest))
	}
	return strings.ReplaceAll(answer, "{rest}", reflect(rest))
}

// reflect turns first persons into second and back: "my tea" becomes "your tea".
func reflect(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		if other, ok := mirror[strings.ToLower(word)]; ok {
			words[i] = other
		}
	}
	return strings.Join(words, " ")
}

func reflectChinese(text string) string {
	return strings.NewReplacer("我", "你", "你", "我", "咱", "你").Replace(text)
}

func chinese(text string) bool { return han.MatchString(text) }

var (
	han      = regexp.MustCompile(`\p{Han}`)
	ownName  = regexp.MustCompile(`(?i)\b(?:my name is|call me|i am called)\s+([\p{L}][\p{L}\p{N}'-]{0,40})`)
	ownNameZ = regexp.MustCompile(`(?:我叫|我的名字是|我是叫)\s*([\p{Han}\p{L}\p{N}]{1,16})`)
	asksName = regexp.MustCompile(`(?i)\bwhat(?:'s| is) my name\b|\bwho am i\b|\bdo you (?:know|remember) my name\b|我叫什么|我的名字是什么|我是谁`)
)

// remembered answers "what is my name?" from what was said before.
func remembered(t model.Turn) string {
	if !asksName.MatchString(t.Text) {
		return ""
	}
	zh := chinese(t.Text)
	for _, said := range slices.Backward(t.History) {
		for _, p := range []*regexp.Regexp{ownName, ownNameZ} {
			if m := p.FindStringSubmatch(said); m != nil && !asksName.MatchString(said) {
				if zh {
					return "你叫" + m[1] + "。你之前告诉过我，而且记录在我的日志里。"
				}
				return "Your name is " + m[1] + ". You told me so, and it is in my log."
			}
		}
	}
	if zh {
		return "你还没有告诉我你的名字。"
	}
	return "You have not told me your name yet."
}

var claims = regexp.MustCompile(`(?i)(?:^|[.!?]\s*)(my name is [^.!?]{1,60}|i (?:live in|work (?:as|at|for)|like|love|prefer|own) [^.!?]{1,80}|我(?:叫|住在|喜欢|在)[^。！？]{1,40})`)

// facts answers a request for a JSON list of claims.
func facts(text string) string {
	list := json5.Value{Kind: json5.Array}
	for _, m := range claims.FindAllStringSubmatch(text, 4) {
		claim := json5.Value{}.Set("claim", json5.Str("The user said: "+strings.TrimSpace(m[1]))).Set("type", json5.Str("fact"))
		claim = claim.Set("in_bio", json5.Value{Kind: json5.Bool}).Set("already_known", json5.Value{Kind: json5.Bool})
		list.Items = append(list.Items, claim)
	}
	return "```json\n" + string(list.Append(nil)) + "\n```"
}
