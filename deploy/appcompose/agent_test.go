package appcompose

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/eventlog"
)

const anyImage = "docker.io/me/teapot@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

// TestTheCharacterIsMeasured: another character is another hash, nothing is interpolated, and readers have nothing to object to.
func TestTheCharacterIsMeasured(t *testing.T) {
	hashes := map[string]bool{}
	for _, character := range []string{`{"name":"${HOME}"}`, `{"name":"Y"}`} {
		a := Agent{Teapot: anyImage, Character: []byte(character), Env: []string{"OPENAI_API_KEY"}}
		compose, err := a.Compose()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(compose), "base64:"+base64.StdEncoding.EncodeToString([]byte(character))) {
			t.Errorf("%s", compose)
		}
		app, err := Render(Options{Name: "teapot-agent", Compose: compose, AllowedEnvs: a.Env, KMS: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, finding := range eventlog.ComposeFindings(app.Bytes) {
			t.Error(finding)
		}
		hashes[app.HashHex()] = true
	}
	if len(hashes) != 2 {
		t.Error("the character does not enter the compose hash")
	}
	for name, a := range map[string]Agent{
		"by tag": {Teapot: "teapot:latest"}, "too long": {Teapot: anyImage, Character: make([]byte, 200<<10)},
		"odd port": {Teapot: anyImage, Ports: []string{"80:3000\"]"}}, "odd name": {Teapot: anyImage, Env: []string{"A=B"}},
	} {
		if _, err := a.Compose(); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
}

// TestEachVariableReachesSomebody: the launch token goes to Teapot, which refuses to start without it.
func TestEachVariableReachesSomebody(t *testing.T) {
	names := []string{"OPENAI_API_KEY", "TEAPOT_LAUNCH_TOKEN"}
	compose, err := Wrap{Image: anyImage, Teapot: anyImage, Agent: "a", Env: names}.Compose()
	if err != nil {
		t.Fatal(err)
	}
	teapot, app, _ := strings.Cut(string(compose), "\n  app:\n")
	if !strings.Contains(teapot, "- TEAPOT_LAUNCH_TOKEN\n") || strings.Contains(app, "TEAPOT_LAUNCH_TOKEN") || strings.Contains(teapot, "OPENAI") || !strings.Contains(app, "- OPENAI_API_KEY\n") {
		t.Errorf("%s", compose)
	}
	for text, want := range map[string][]string{
		string(compose): nil,
		"services: {a: {environment: [OPENAI_API_KEY=x]}}":                                                  {"TEAPOT_LAUNCH_TOKEN"},
		"services: {a: {environment: {K: \"${OPENAI_API_KEY}\"}}, b: {environment: [TEAPOT_LAUNCH_TOKEN]}}": nil,
		"services: {a: {image: x}}": names,
	} {
		if got, err := Unreached([]byte(text), names); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q, %v", text, got, want, err)
		}
	}
	for _, bad := range []string{"root:x:0:0:root:/root:/bin/bash\n", "", "services: {}"} {
		if _, err := Unreached([]byte(bad), nil); err == nil {
			t.Errorf("%q is taken for a compose file", bad)
		}
	}
}
