package eliza_test

import (
	"strings"
	"testing"
)

// The routes of third-party services answer Eliza's parameter errors first, then 501 with a reason.
func TestServicesThatAreNotThere(t *testing.T) {
	f := start(t)
	multi, media := multipartBody(t)
	agent := "/" + idMark
	for _, c := range []struct {
		q      request
		status int
		answer string
	}{
		{request{"POST", agent + "/whisper", "", "", false}, 400, "No audio file provided"},
		{request{"POST", "/nosuch/whisper", "", "", false}, 400, "No audio file provided"},
		{request{"POST", "/nosuch/whisper", media, multi, false}, 404, "Agent not found"},
		{request{"POST", agent + "/whisper", media, multi, false}, 501, `"error":"this agent has no transcription service"`},
		{jsonPost("/nosuch/image", `{}`), 404, "Agent not found"},
		{jsonPost(agent+"/image", `{"prompt":"a pot"}`), 501, `"error":"this agent has no image service"`},
		{jsonPost(agent+"/tts", `{}`), 400, "No text provided"},
		{jsonPost("/nosuch/tts", `{"text":"x"}`), 501, "no speech service"},
		{jsonPost(agent+"/speak", `{"text":""}`), 400, "No text provided"},
		{jsonPost("/nosuch/speak", `{"text":"x"}`), 404, "Agent not found"},
		{jsonPost(agent+"/speak", `{"text":"x"}`), 501, "no speech service"},
		{jsonPost("/agents/"+idMark+"/hyperfi/v1", `{}`), 501, "hyperfi"},
		{jsonPost("/fine-tune", `{}`), 501, "fine-tuning"},
		{request{"GET", "/fine-tune/..%2f..%2fetc%2fpasswd", "", "", false}, 501, "fine-tuning"},
		{request{"GET", "/media/generated/x.png", "", "", false}, 404, "Not found"},
		{request{"GET", "/verifiable/agents", "", "", false}, 500, `"error":"failed to get agents registered"`},
		{jsonPost("/verifiable/attestation", `{"agentId":"x","publicKey":"y"}`), 500, `"error":"failed to get attestation"`},
		{jsonPost("/verifiable/logs", `{}`), 500, `"error":"failed to get verifiable logs"`},
	} {
		if status, _, body := f.do(t, c.q); status != c.status || !strings.Contains(string(body), c.answer) || strings.Contains(string(body), "stack") {
			t.Errorf("%s %s: HTTP %d %s, want %d %s", c.q.method, c.q.url, status, body, c.status, c.answer)
		}
	}
}
