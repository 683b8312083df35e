package character_test

import (
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/agent/character"
)

const keeper = `{"name":"Keeper","modelProvider":"openai","bio":"b","lore":[],"messageExamples":[],"postExamples":[],"topics":[],
"adjectives":[],"clients":[],"plugins":[],"style":{"all":[],"chat":[],"post":[]},
"settings":{"secrets":{"OPENAI_API_KEY":"sk-old"},"MAIL_PASSWORD":"hunter2","EVM_RPC_URL":"https://rpc.example"}}`

// shown is what GET /agents/{id} answers, as its reader sends it back after a change.
func shown(t *testing.T, c *character.Character, change ...string) *character.Character {
	t.Helper()
	text := string(c.Public())
	next, err := character.Parse([]byte(strings.NewReplacer(change...).Replace(text)), character.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func TestSecretsFollowOnlyWhereTheyWent(t *testing.T) {
	old, err := character.Parse([]byte(keeper), character.Options{Env: map[string]string{"GROQ_API_KEY": "gsk-env", "TZ": "UTC"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change  []string
		changed string
	}{
		"nothing":                       {nil, ""},
		"what it is":                    {[]string{`"bio":"b"`, `"bio":"another"`, `"topics":[]`, `"topics":["tea"]`}, ""},
		"the model":                     {[]string{`"settings":{`, `"settings":{"model":"gpt-4o","modelConfig":{"temperature":1},`}, ""},
		"the provider":                  {[]string{`"openai"`, `"groq"`}, "modelProvider"},
		"the endpoint":                  {[]string{`"bio"`, `"modelEndpointOverride":"https://evil.example","bio"`}, "modelEndpointOverride"},
		"an endpoint in settings":       {[]string{`"settings":{`, `"settings":{"OPENAI_API_URL":"https://evil.example",`}, "settings"},
		"an endpoint among own secrets": {[]string{`"settings":{`, `"settings":{"secrets":{"OPENAI_API_URL":"https://evil.example"},`}, "settings.secrets"},
		"an RPC server":                 {[]string{`rpc.example`, `evil.example`}, "settings"},
		"a client":                      {[]string{`"clients":[]`, `"clients":["twitter"]`}, "clients"},
		"an MCP server":                 {[]string{`"settings":{`, `"settings":{"mcp":{"servers":{"x":{"url":"https://evil.example"}}},`}, "settings"},
	} {
		next := shown(t, old, c.change...)
		if got := next.Inherit(old); got != c.changed {
			t.Errorf("%s: %q decides, want %q", name, got, c.changed)
		}
		kept := c.changed == ""
		for key, want := range map[string]string{"OPENAI_API_KEY": "sk-old", "MAIL_PASSWORD": "hunter2", "GROQ_API_KEY": "gsk-env"} {
			if got, has := next.Setting(key); has != kept || kept && got != want {
				t.Errorf("%s: %s is %q", name, key, got)
			}
		}
		if zone, _ := next.Setting("TZ"); zone != "UTC" {
			t.Errorf("%s: what is no secret of the environment is gone", name)
		}
	}
}

func TestOwnSecretsAreNotMixedWithTheOldOnes(t *testing.T) {
	old, err := character.Parse([]byte(keeper), character.Options{})
	if err != nil {
		t.Fatal(err)
	}
	next := shown(t, old, `"settings":{`, `"settings":{"secrets":{"OTHER_KEY":"new"},`)
	next.Inherit(old)
	if _, has := next.Setting("OPENAI_API_KEY"); has {
		t.Error("a definition that brought its secrets got the old ones too")
	}
}

func TestAFirstSecretChangesNoPlace(t *testing.T) {
	text := strings.Replace(keeper, `"secrets":{"OPENAI_API_KEY":"sk-old"},`, "", 1)
	old, err := character.Parse([]byte(text), character.Options{Env: map[string]string{"GROQ_API_KEY": "gsk-env"}})
	if err != nil {
		t.Fatal(err)
	}
	next := shown(t, old, `"settings":{`, `"settings":{"secrets":{"OPENAI_API_KEY":"sk-new"},`)
	if changed := next.Inherit(old); changed != "" {
		t.Errorf("%s decides", changed)
	}
}

// An operator's own server, named among the secrets: a definition that brings other secrets would send the environment's key to
// the provider's.
func TestOwnSecretsDoNotDropAnEndpoint(t *testing.T) {
	text := strings.Replace(keeper, `"OPENAI_API_KEY":"sk-old"`, `"OPENAI_API_URL":"https://inside.example"`, 1)
	old, err := character.Parse([]byte(text), character.Options{Env: map[string]string{"OPENAI_API_KEY": "sk-env"}})
	if err != nil {
		t.Fatal(err)
	}
	for secrets, changed := range map[string]string{
		`{"OTHER_KEY":"new"}`: "settings.secrets", `{}`: "settings.secrets", `{"OPENAI_API_URL":"https://inside.example","OTHER_KEY":"new"}`: "",
	} {
		next := shown(t, old, `"settings":{`, `"settings":{"secrets":`+secrets+`,`)
		if got := next.Inherit(old); got != changed {
			t.Errorf("%s: %q decides, want %q", secrets, got, changed)
		}
		if _, has := next.Setting("OPENAI_API_KEY"); has != (changed == "") {
			t.Errorf("%s: the environment's key is there: %v", secrets, has)
		}
	}
}
