package eliza_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// s: one message is one call of the model, whatever it answers, and nothing of the text is lost to its braces.
func TestFlawSNoEndlessRetriesAndNoLostText(t *testing.T) {
	var calls atomic.Int64
	var content atomic.Value
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		_ = json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]any{"content": content.Load()}}}})
	}))
	t.Cleanup(provider.Close)
	f := start(t)
	if _, err := f.life.Start(t.Context(), parse(t, strings.NewReplacer(`"Tester"`, `"Talker"`, `"llama_local"`, `"openai","modelEndpointOverride":"`+provider.URL+`"`).Replace(tester))); err != nil {
		t.Fatal(err)
	}
	for said, want := range map[string]string{
		`{"user":"Talker","text":"with {braces} inside","action":"NONE"}`:                  "with {braces} inside",
		`{"user":"Talker","text":"nested","action":"NONE","extra":{"deep":{"er":[1,{}]}}}`: "nested",
		"no braces at all": "no braces at all",
		"null":             "",
		"{}":               "",
		"```json\n{\"text\":\"in a fence\"}\n```": "in a fence",
	} {
		content.Store(said)
		before := calls.Load()
		status, _, body := f.do(t, jsonPost("/Talker/message", `{"text":"hello"}`))
		var list []struct{ Text string }
		if err := json.Unmarshal(body, &list); err != nil || status != http.StatusOK || len(list) == 0 || list[0].Text == "" {
			t.Errorf("%q: HTTP %d %v %s", said, status, err, body)
			continue
		}
		if want != "" && list[0].Text != want {
			t.Errorf("%q became %q", said, list[0].Text)
		}
		if n := calls.Load() - before; n != 1 {
			t.Errorf("%q: %d calls", said, n)
		}
	}
}
