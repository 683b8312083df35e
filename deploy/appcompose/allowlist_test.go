package appcompose

import (
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/eventlog"
)

// What we render for a wrapped container keeps within what we accept.
func TestWrapKeepsWithinTheAllowList(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("ab", 32)
	compose, err := Wrap{
		Image: "ghcr.io/acme/agent" + digest, Teapot: "ghcr.io/acme/teapot" + digest, Agent: "Eliza", Ports: []string{"8080:8080"},
		Env: []string{"OPENAI_API_KEY"}, Command: []string{"node", "index.js"},
	}.Compose()
	if err != nil {
		t.Fatal(err)
	}
	app, err := Render(Options{Name: "teapot-demo", Compose: compose, AllowedEnvs: []string{"OPENAI_API_KEY"}, KMS: true, LaunchToken: []byte("0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	r := eventlog.JudgeCompose(app.Bytes)
	if len(r.Findings) != 0 || r.Teapot != "teapot" {
		t.Errorf("Teapot is %q, findings %v", r.Teapot, r.Findings)
	}
}
