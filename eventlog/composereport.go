package eventlog

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/appraisal"
)

// ComposeRule is one rule of the compose allow-list (design: anything outside it is contraindicated unless the reader pins
// the exact hash). Rules have a fixed order.
type ComposeRule string

// The rules.
const (
	RuleReadable      ComposeRule = "compose.readable"
	RuleRunner        ComposeRule = "compose.runner"
	RuleScripts       ComposeRule = "compose.scripts"
	RuleKeys          ComposeRule = "compose.keys"
	RuleImages        ComposeRule = "compose.images"
	RuleInterpolation ComposeRule = "compose.interpolation"
	RuleVolumes       ComposeRule = "compose.volumes"
	RulePrivileges    ComposeRule = "compose.privileges"
	RuleEnvironment   ComposeRule = "compose.environment"
)

type ruleText struct {
	rule           ComposeRule
	passed, remedy string
}

func rules() []ruleText {
	return []ruleText{
		{RuleReadable, "app-compose.json and the compose file in it have one meaning", "write plain YAML: one document, no anchors, aliases, tags or duplicate keys"},
		{RuleRunner, "the runner is docker-compose", "set runner to docker-compose"},
		{RuleScripts, "no script runs in the guest outside the containers", "remove init_script, pre_launch_script and bash_script"},
		{RuleKeys, "every key is one whose meaning this verifier knows", "remove the key, or pin this app-compose hash in your policy after reading the file"},
		{RuleImages, "every image is named by digest", "write name@sha256:… (teapot deploy render does)"},
		{RuleInterpolation, "nothing outside environment is filled in at start from variables the host could choose", "write the value out, or double the $ where a literal one is meant"},
		{RuleVolumes, "only Teapot reaches the platform's sockets; other services have named volumes and Teapot's guest socket", "mount platform sockets into Teapot only, and Teapot's guest volume (/run/teapot) into the others"},
		{RulePrivileges, "no service has added privileges or shares the guest's namespaces", "remove privileged, cap_add, devices and host namespaces"},
		{RuleEnvironment, "no variable that the host can supply steers docker compose or the loader", "remove it from allowed_envs"},
	}
}

// ComposeFinding is one break of a rule.
type ComposeFinding struct {
	Rule  ComposeRule `json:"rule"`
	Where string      `json:"where"` // "services.agent.volumes[0]"
	What  string      `json:"what"`  // one sentence
}

// String is one line for people.
func (f ComposeFinding) String() string { return f.Where + ": " + f.What }

// Service is a container of the compose file.
type Service struct {
	Name  string `json:"name"`
	Image string `json:"image"`
}

// ComposeReport is what an app-compose file means for the chain of trust.
type ComposeReport struct {
	Hash       [32]byte
	AppID      [20]byte         // of the hash; a KMS contract may give another
	App        *AppCompose      // nil when it could not be read
	Services   []Service        // sorted by name
	Teapot     string           // the service with the platform's sockets; "" when none has them
	Findings   []ComposeFinding // in the order of the rules; empty when the allow-list holds
	Unmeasured []string         // inputs that the hash does not cover, sorted
}

// JudgeCompose reads app-compose.json and applies the allow-list. It never fails: what cannot be read is a finding.
func JudgeCompose(raw []byte) ComposeReport {
	r := ComposeReport{Hash: ComposeHash(raw)}
	r.AppID = AppID(r.Hash)
	app, err := ParseAppCompose(raw)
	if err != nil {
		r.find(RuleReadable, "app-compose.json", "%s", err)
		return r
	}
	r.App = app
	r.judgeApp(app)
	r.judgeYAML([]byte(app.DockerCompose))
	slices.Sort(r.Unmeasured)
	r.Unmeasured = slices.Compact(r.Unmeasured)
	order := rules()
	position := func(f ComposeFinding) int {
		return slices.IndexFunc(order, func(t ruleText) bool { return t.rule == f.Rule })
	}
	slices.SortStableFunc(r.Findings, func(a, b ComposeFinding) int { return position(a) - position(b) })
	return r
}

func (r *ComposeReport) find(rule ComposeRule, where, format string, args ...any) {
	r.Findings = append(r.Findings, ComposeFinding{rule, where, fmt.Sprintf(format, args...)})
}

func (r *ComposeReport) judgeApp(app *AppCompose) {
	if app.Runner != "docker-compose" {
		r.find(RuleRunner, "runner", "is %q: the compose file is not what runs", app.Runner)
	}
	for name, text := range map[string]string{"init_script": app.InitScript, "pre_launch_script": app.PreLaunchScript, "bash_script": app.BashScript} {
		if text != "" {
			r.find(RuleScripts, name, "%d bytes of script run as root in the guest and reach every socket", len(text))
		}
	}
	for _, name := range app.Unknown {
		r.find(RuleKeys, name, "unknown member of app-compose.json")
	}
	for name, value := range map[string][]byte{"docker_config": app.DockerConfig, "verity_volumes": app.VerityVolumes, "snapshotter": []byte(app.Snapshotter)} {
		if text := string(value); text != "" && text != "null" && text != "{}" && text != "[]" {
			r.find(RuleKeys, name, "its effect is not judged here")
		}
	}
	slices.SortFunc(r.Findings, func(a, b ComposeFinding) int { return strings.Compare(a.Where, b.Where) })
	for _, name := range app.AllowedEnvs {
		if steers(name) {
			r.find(RuleEnvironment, "allowed_envs", "%s steers docker compose, the shell or the loader, and the host chooses its value", name)
		}
		r.Unmeasured = append(r.Unmeasured, "environment variable "+name+" (allowed_envs: encrypted for the guest, not measured, anybody can encrypt another value)")
	}
}

// steers: variables that change which compose file, engine or program runs. dstack exports allowed_envs to docker compose.
func steers(name string) bool {
	for _, prefix := range []string{"COMPOSE_", "DOCKER_", "BUILDKIT_", "LD_", "BASH_", "DSTACK_", "SYSTEMD_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return slices.Contains([]string{"PATH", "HOME", "SHELL", "ENV", "IFS", "PWD", "TMPDIR", "XDG_CONFIG_HOME"}, name)
}

// Checks are the rules as checks, one each, in fixed order.
func (r ComposeReport) Checks() []appraisal.Check {
	var out []appraisal.Check
	for _, t := range rules() {
		c := appraisal.Check{ID: string(t.rule), Link: "measurements", Outcome: appraisal.Passed, Detail: t.passed, Source: "app-compose " + hex.EncodeToString(r.Hash[:])}
		var broken []string
		for _, f := range r.Findings {
			if f.Rule == t.rule {
				broken = append(broken, f.String())
			}
		}
		if len(broken) > 0 {
			c.Outcome, c.Detail, c.Got, c.Fault, c.Remedy = appraisal.Failed, broken[0], strings.Join(broken, "; "), "operator", t.remedy
		} else if r.unread() && t.rule != RuleReadable {
			c.Outcome, c.Detail = appraisal.NotChecked, "the compose file could not be read"
		}
		out = append(out, c)
	}
	return out
}

func (r ComposeReport) unread() bool {
	return slices.ContainsFunc(r.Findings, func(f ComposeFinding) bool { return f.Rule == RuleReadable })
}

// ComposeFindings applies the allow-list and returns a line for each break; none means it holds.
func ComposeFindings(appCompose []byte) []string {
	var out []string
	for _, f := range JudgeCompose(appCompose).Findings {
		out = append(out, f.String())
	}
	return out
}
