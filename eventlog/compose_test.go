package eventlog

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/appraisal"
)

const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// wrapped is an agent with Teapot beside it: what the allow-list is for.
const wrapped = `
services:
  teapot:
    image: ghcr.io/teapot/teapot` + digest + `
    command: ["serve", "--guest-dir", "/run/teapot"]
    volumes:
      - /var/run/dstack.sock:/var/run/dstack.sock
      - type: bind
        source: /var/run/tappd.sock
        target: /var/run/tappd.sock
      - teapot:/data
      - guest:/run/teapot
    ports: ["80:3000"]
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    restart: always
  agent:
    image: ghcr.io/acme/agent` + digest + `
    command: echo $$HOME
    environment:
      - DSTACK_SIMULATOR_ENDPOINT=/run/teapot/dstack.sock
      - OPENAI_API_KEY
      - MODEL=${MODEL:-small}
    volumes: ["guest:/run/teapot", "own:/srv:ro", /scratch]
    depends_on: [teapot]
    networks: [inner]
volumes: {teapot: , guest: {}, own: }
networks:
  inner: {internal: true}
`

func appCompose(t *testing.T, yaml string, more map[string]any) []byte {
	t.Helper()
	doc := map[string]any{"manifest_version": 2, "name": "demo", "runner": "docker-compose", "docker_compose_file": yaml, "allowed_envs": []string{"OPENAI_API_KEY"}}
	for k, v := range more {
		doc[k] = v
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAllowList(t *testing.T) {
	r := JudgeCompose(appCompose(t, wrapped, nil))
	if len(r.Findings) != 0 {
		t.Fatalf("findings %v", r.Findings)
	}
	if r.Teapot != "teapot" || len(r.Services) != 2 || r.Services[0].Name != "agent" {
		t.Errorf("Teapot is %q, services %v", r.Teapot, r.Services)
	}
	if len(r.Unmeasured) != 3 {
		t.Errorf("unmeasured %q: allowed_envs, OPENAI_API_KEY and MODEL of the agent", r.Unmeasured)
	}
	for _, c := range r.Checks() {
		if c.Outcome != appraisal.Passed {
			t.Errorf("check %+v", c)
		}
	}
}

func TestOwnProductionFileHolds(t *testing.T) {
	raw, err := os.ReadFile("../deploy/compose/production.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if lines := ComposeFindings(appCompose(t, string(raw), nil)); len(lines) != 0 {
		t.Errorf("our own file breaks the allow-list: %q", lines)
	}
}

func TestAllowListRefuses(t *testing.T) {
	swap := func(old, new string) string {
		if !strings.Contains(wrapped, old) {
			t.Fatalf("the sample has no %q", old)
		}
		return strings.Replace(wrapped, old, new, 1)
	}
	agent := func(line string) string {
		return swap("    depends_on: [teapot]\n", "    depends_on: [teapot]\n    "+line+"\n")
	}
	for name, c := range map[string]struct {
		rule ComposeRule
		yaml string
	}{
		"tag":                     {RuleImages, swap("agent"+digest, "agent:latest")},
		"short digest":            {RuleImages, swap("agent"+digest, "agent@sha256:01")},
		"no image":                {RuleImages, swap("    image: ghcr.io/acme/agent"+digest+"\n", "")},
		"build":                   {RuleKeys, agent("build: .")},
		"interpolated image":      {RuleInterpolation, swap("ghcr.io/acme/agent", "${REGISTRY}/agent")},
		"interpolated command":    {RuleInterpolation, swap("echo $$HOME", "echo $HOME")},
		"interpolated user":       {RuleInterpolation, agent("user: $USER")},
		"dollar dollar dollar":    {RuleInterpolation, swap("echo $$HOME", "echo $$$HOME")},
		"interpolated volume":     {RuleInterpolation, swap("own:/srv:ro", "${V}:/srv")},
		"two at the platform":     {RuleVolumes, swap("own:/srv:ro", "/var/run/dstack.sock:/x")},
		"directory of the socket": {RuleVolumes, swap("own:/srv:ro", "/var/run:/x")},
		"docker's socket":         {RuleVolumes, swap("own:/srv:ro", "/var/run/docker.sock:/x")},
		"relative bind":           {RuleVolumes, swap("own:/srv:ro", "./x:/x")},
		"home bind":               {RuleVolumes, swap("own:/srv:ro", "~/x:/x")},
		"Teapot's data":           {RuleVolumes, swap("own:/srv:ro", "teapot:/x")},
		"undeclared volume":       {RuleVolumes, swap("own:/srv:ro", "other:/x")},
		"volume with options":     {RuleVolumes, swap("own: }", "own: {driver_opts: {type: none, o: bind, device: /}}}")},
		"external volume":         {RuleVolumes, swap("own: }", "own: {external: true}}")},
		"odd mount option":        {RuleVolumes, swap("own:/srv:ro", "own:/srv:shared")},
		"mount of another type":   {RuleVolumes, swap("type: bind", "type: npipe")},
		"mount propagation":       {RuleVolumes, swap("target: /var/run/tappd.sock", "target: /var/run/tappd.sock\n        bind: {propagation: shared}")},
		"privileged":              {RulePrivileges, agent("privileged: true")},
		"privileged, YAML 1.1":    {RulePrivileges, agent("privileged: yes")},
		"capability":              {RulePrivileges, agent("cap_add: [SYS_ADMIN]")},
		"device":                  {RulePrivileges, agent("devices: [/dev/tdx_guest]")},
		"host network":            {RulePrivileges, agent("network_mode: host")},
		"Teapot's network":        {RulePrivileges, agent("network_mode: service:teapot")},
		"host pids":               {RulePrivileges, agent("pid: host")},
		"Teapot's pids":           {RulePrivileges, agent("pid: service:teapot")},
		"seccomp":                 {RulePrivileges, agent("security_opt: [seccomp=unconfined]")},
		"volumes_from":            {RulePrivileges, agent("volumes_from: [teapot]")},
		"api socket":              {RulePrivileges, agent("use_api_socket: true")},
		"ipc":                     {RulePrivileges, agent("ipc: host")},
		"extends":                 {RuleKeys, agent("extends: {file: x, service: y}")},
		"env_file":                {RuleKeys, agent("env_file: [x]")},
		"profiles":                {RuleKeys, agent("profiles: [x]")},
		"deploy":                  {RuleKeys, agent("deploy: {}")},
		"post_start":              {RuleKeys, agent("post_start: [{command: x, privileged: true}]")},
		"provider":                {RuleKeys, agent("provider: {type: x}")},
		"develop":                 {RuleKeys, agent("develop: {}")},
		"secrets":                 {RuleKeys, agent("secrets: [x]")},
		"alias of a name":         {RuleKeys, swap("networks: [inner]", "networks: {inner: {aliases: [teapot]}}")},
		"another's name":          {RuleKeys, agent("container_name: teapot")},
		"network driver":          {RuleKeys, swap("{internal: true}", "{driver: host}")},
		"include":                 {RuleKeys, wrapped + "include: [x.yaml]\n"},
		"configs":                 {RuleKeys, wrapped + "configs: {a: {file: /etc/shadow}}\n"},
		"extension":               {RuleKeys, wrapped + "x-common: {a: b}\n"},
		"anchor":                  {RuleReadable, swap("depends_on: [teapot]", "depends_on: &a [teapot]")},
		"merge":                   {RuleReadable, agent("<<: {privileged: true}")},
		"tag in YAML":             {RuleReadable, swap("[teapot]", "!!seq [teapot]")},
		"duplicate key":           {RuleReadable, agent("image: a")},
		"number as key":           {RuleReadable, agent("1: a")},
		"interpolated key":        {RuleReadable, agent("$x: a")},
		"two documents":           {RuleReadable, wrapped + "---\nservices: {}\n"},
		"no services":             {RuleReadable, "services: {}\n"},
		"a list":                  {RuleReadable, "- a\n"},
		"empty":                   {RuleReadable, ""},
		"not YAML":                {RuleReadable, "\t{"},
		"service is no map":       {RuleReadable, "services: {a: b}\n"},
		"environment map in map":  {RuleReadable, swap("    environment:\n      - DSTACK_SIMULATOR_ENDPOINT=/run/teapot/dstack.sock\n      - OPENAI_API_KEY\n      - MODEL=${MODEL:-small}\n", "    environment: {A: {b: c}}\n")},
	} {
		r := JudgeCompose(appCompose(t, c.yaml, nil))
		if !hasRule(r, c.rule) {
			t.Errorf("%s: %v, want a break of %s", name, r.Findings, c.rule)
		}
	}
}

func hasRule(r ComposeReport, rule ComposeRule) bool {
	for _, f := range r.Findings {
		if f.Rule == rule {
			return true
		}
	}
	return false
}

func TestAppComposeRules(t *testing.T) {
	for name, c := range map[string]struct {
		rule ComposeRule
		more map[string]any
	}{
		"bash":            {RuleRunner, map[string]any{"runner": "bash"}},
		"nerdctl":         {RuleRunner, map[string]any{"runner": "nerdctl-compose"}},
		"pre-launch":      {RuleScripts, map[string]any{"pre_launch_script": "curl x | sh"}},
		"init":            {RuleScripts, map[string]any{"init_script": "x"}},
		"bash script":     {RuleScripts, map[string]any{"bash_script": "x"}},
		"unknown member":  {RuleKeys, map[string]any{"post_launch": "x"}},
		"other case":      {RuleReadable, map[string]any{"Runner": "bash"}},
		"verity volumes":  {RuleKeys, map[string]any{"verity_volumes": []string{"x"}}},
		"snapshotter":     {RuleKeys, map[string]any{"snapshotter": "stargz"}},
		"COMPOSE_FILE":    {RuleEnvironment, map[string]any{"allowed_envs": []string{"COMPOSE_FILE"}}},
		"DOCKER_HOST":     {RuleEnvironment, map[string]any{"allowed_envs": []string{"DOCKER_HOST"}}},
		"LD_PRELOAD":      {RuleEnvironment, map[string]any{"allowed_envs": []string{"LD_PRELOAD"}}},
		"PATH":            {RuleEnvironment, map[string]any{"allowed_envs": []string{"PATH"}}},
		"unknown version": {RuleReadable, map[string]any{"manifest_version": 4}},
		"wrong type":      {RuleReadable, map[string]any{"runner": 1}},
	} {
		if r := JudgeCompose(appCompose(t, wrapped, c.more)); !hasRule(r, c.rule) {
			t.Errorf("%s: %v, want a break of %s", name, r.Findings, c.rule)
		}
	}
}

func TestUnreadableComposeIsNeverPassed(t *testing.T) {
	for _, raw := range []string{"", "{", "[]", `{"manifest_version":2,"manifest_version":2}`, strings.Repeat(" ", maxAppCompose+1)} {
		for _, c := range JudgeCompose([]byte(raw)).Checks() {
			if c.Outcome == appraisal.Passed {
				t.Errorf("%.20q: %s passed", raw, c.ID)
			}
		}
	}
}

// The worked example of dstack.md section 8.2: the same document in three byte forms.
func TestComposeHashIsOverExactBytes(t *testing.T) {
	const line = `{"allowed_envs":["OPENAI_API_KEY"],"docker_compose_file":"services:\n  agent:\n    image: ghcr.io/acme/agent@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n    volumes:\n      - /var/run/dstack.sock:/var/run/dstack.sock\n","gateway_enabled":true,"key_provider_id":"","kms_enabled":true,"local_key_provider_enabled":false,"manifest_version":2,"name":"teapot-demo","no_instance_id":false,"pre_launch_script":"","public_logs":true,"public_sysinfo":true,"public_tcbinfo":true,"runner":"docker-compose","secure_time":false}`
	for text, want := range map[string]string{
		line: "b141bafc5be8f4a04156a269139b7345a4439fa5ca77460117c1f737940b7960",
		strings.Replace(line, `"pre_launch_script":"",`, "", 1): "6a5d37a2d1a1f96371c350bed6d1dfecce24f09553de225261d79276168853c9",
		`{"a":"x","b":1}`: "cdab067e9f3beb32d1252cfd63e492592fecbf591b0d08cadb24bb17f3864246",
	} {
		if got := ComposeHash([]byte(text)); hex.EncodeToString(got[:]) != want {
			t.Errorf("hash %x, want %s", got, want)
		}
	}
	r := JudgeCompose([]byte(line))
	if hex.EncodeToString(r.AppID[:]) != "b141bafc5be8f4a04156a269139b7345a4439fa5" || r.Teapot != "agent" || len(r.Findings) != 0 {
		t.Errorf("report %+v", r)
	}
}

func FuzzJudgeCompose(f *testing.F) {
	f.Add(wrapped)
	f.Add("services: {a: {image: x}}")
	f.Fuzz(func(t *testing.T, text string) {
		r := JudgeCompose(appCompose(t, text, nil))
		if len(r.Findings) == 0 && len(r.Services) == 0 {
			t.Fatal("a file without services passed")
		}
		for _, s := range r.Services {
			if len(r.Findings) == 0 && !digestImage(s.Image) {
				t.Fatalf("image %q passed", s.Image)
			}
		}
	})
}
