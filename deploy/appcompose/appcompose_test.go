package appcompose

import (
	"strings"
	"testing"
)

func TestRenderIsDeterministic(t *testing.T) {
	o := Options{Name: "teapot-demo", Compose: []byte("services:\n  a: {image: \"x@sha256:<&>\"}\n"), AllowedEnvs: []string{"B", "A", "B"}, KMS: true, Gateway: true}
	first, err := Render(o)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"allowed_envs":["A","B"],"docker_compose_file":"services:\n  a: {image: \"x@sha256:<&>\"}\n","gateway_enabled":true,` +
		`"kms_enabled":true,"local_key_provider_enabled":false,"manifest_version":2,"name":"teapot-demo","no_instance_id":false,` +
		`"public_logs":false,"public_sysinfo":false,"public_tcbinfo":true,"runner":"docker-compose","secure_time":true}`
	if string(first.Bytes) != want {
		t.Errorf("got  %s\nwant %s", first.Bytes, want)
	}
	o.AllowedEnvs = []string{"A", "B"}
	second, err := Render(o)
	if err != nil || second.Hash != first.Hash {
		t.Error("the order of names changed the hash")
	}
	if first.ID() != first.HashHex()[:40] {
		t.Error("the app id is not the beginning of the compose hash")
	}
}

// TestPublishedHash: the worked example of the facts on dstack, section 8.2 (544 bytes).
func TestPublishedHash(t *testing.T) {
	const text = `{"allowed_envs":["OPENAI_API_KEY"],"docker_compose_file":"services:\n  agent:\n    image: ghcr.io/acme/agent@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n    volumes:\n      - /var/run/dstack.sock:/var/run/dstack.sock\n","gateway_enabled":true,"key_provider_id":"","kms_enabled":true,"local_key_provider_enabled":false,"manifest_version":2,"name":"teapot-demo","no_instance_id":false,"pre_launch_script":"","public_logs":true,"public_sysinfo":true,"public_tcbinfo":true,"runner":"docker-compose","secure_time":false}`
	app, err := FromBytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if app.HashHex() != "b141bafc5be8f4a04156a269139b7345a4439fa5ca77460117c1f737940b7960" {
		t.Errorf("hash %s of %d bytes", app.HashHex(), len(text))
	}
}

func TestLaunchTokenIsMeasured(t *testing.T) {
	o := Options{Name: "teapot-demo", Compose: []byte("services: {}\n")}
	without, err := Render(o)
	if err != nil {
		t.Fatal(err)
	}
	o.LaunchToken = []byte("0123456789abcdef")
	with, err := Render(o)
	if err != nil || with.Hash == without.Hash || !strings.Contains(string(with.Bytes), `"manifest_version":"3"`) {
		t.Errorf("%s, %v", with.Bytes, err)
	}
	if strings.Contains(string(with.Bytes), "0123456789abcdef") {
		t.Error("the token itself stands in the public file")
	}
}

func TestBadInput(t *testing.T) {
	for _, o := range []Options{
		{Name: "abc", Compose: []byte("x")},
		{Name: "teapot"},
		{Name: "teapot", Compose: []byte("x"), AllowedEnvs: []string{"1A"}},
		{Name: "teapot", Compose: []byte("x"), AllowedEnvs: []string{""}},
		{Name: "teapot", Compose: make([]byte, 300<<10)},
	} {
		if _, err := Render(o); err == nil {
			t.Errorf("accepted: name %q, envs %q, %d bytes", o.Name, o.AllowedEnvs, len(o.Compose))
		}
	}
}

func TestWrapGivesPlatformSocketsToTeapotOnly(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("ab", 32)
	compose, err := Wrap{Image: "elizaos/eliza" + digest, Teapot: "teapot" + digest, Agent: "Eliza", Ports: []string{"80:3000"}, Env: []string{"OPENAI_API_KEY"}}.Compose()
	if err != nil {
		t.Fatal(err)
	}
	teapot, app, ok := strings.Cut(string(compose), "  app:\n")
	if !ok || !strings.Contains(teapot, "/var/run/dstack.sock:/var/run/dstack.sock") {
		t.Fatalf("%s", compose)
	}
	if strings.Contains(app, "/var/run/") {
		t.Errorf("the wrapped container gets a platform socket:\n%s", app)
	}
	for _, bad := range []Wrap{
		{Image: "elizaos/eliza:latest", Teapot: "teapot" + digest},
		{Image: "a" + digest, Teapot: "teapot:latest"},
		{Image: "a" + digest, Teapot: "b" + digest, Agent: "x\ny"},
		{Image: "a" + digest, Teapot: "b" + digest, Command: []string{"${X}"}},
	} {
		if _, err := bad.Compose(); err == nil {
			t.Errorf("accepted %+v", bad)
		}
	}
}

func TestSwappedEnvironmentIsRefused(t *testing.T) {
	app, err := Render(Options{Name: "teapot-demo", Compose: []byte("services: {}\n"), LaunchToken: []byte("the token")})
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckLaunch(app.Bytes, "the token"); err != nil {
		t.Error(err)
	}
	for _, token := range []string{"", "another", "the token "} {
		if CheckLaunch(app.Bytes, token) == nil {
			t.Errorf("%q was accepted", token)
		}
	}
	if err := CheckLaunch([]byte(`{"name":"x"}`), ""); err != nil {
		t.Errorf("a file that asks for nothing: %v", err)
	}
	if CheckLaunch([]byte("no"), "") == nil {
		t.Error("not JSON was accepted")
	}
}
