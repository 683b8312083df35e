package verify

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/eventlog"
)

// Events of dstack's runtime log that identify the application (all in RTMR3).
var appEvents = map[string]string{
	"compose-hash": "app_compose_sha256", "app-id": "app_id", "os-image-hash": "os_image_hash",
}

// compose reads what the replayed log says about the application and judges the measured compose file: its hash must be
// in the log, and its text must keep every other container away from the platform's sockets.
func (a *appraiser) compose(m *measured, s *start) []appraisal.Check {
	for _, e := range m.events {
		if e.Name == "system-ready" {
			break // what follows is written by applications, which can give their events any name
		}
		name, ok := appEvents[e.Name]
		if !ok || e.Type != eventlog.RuntimeType {
			continue
		}
		if _, twice := m.values[name]; twice {
			return []appraisal.Check{composeFailed(fmt.Sprintf("the event log has two %q events: what the application is cannot be told", e.Name), "", "")}
		}
		m.values[name] = hex.EncodeToString(e.Payload)
	}
	measuredHash := m.values["app_compose_sha256"]
	sum := eventlog.ComposeHash(s.evidence.AppCompose)
	shown := hex.EncodeToString(sum[:])
	switch {
	case measuredHash == "":
		return []appraisal.Check{composeFailed("the event log names no compose file: the application was not measured", "", "a compose-hash event")}
	case len(s.evidence.AppCompose) == 0:
		return []appraisal.Check{composeFailed("the compose file was not sent, only its hash is known", measuredHash, "")}
	case shown != measuredHash:
		return []appraisal.Check{composeFailed("the compose file shown is not the one that was measured", shown, measuredHash)}
	}
	return []appraisal.Check{a.composeRules(shown, s.evidence.AppCompose)}
}

func composeFailed(detail, got, want string) appraisal.Check {
	return appraisal.Check{
		ID: "measurements.compose", Outcome: appraisal.Failed, Detail: detail, Got: got, Want: want, Source: "event compose-hash, in RTMR3",
		Fault: "host", Remedy: "ask for the evidence again; if it stays, the server does not show what it runs",
	}
}

// composeRules judges the text, unless the policy pins this exact hash and accepts it as it is.
func (a *appraiser) composeRules(hash string, text []byte) appraisal.Check {
	c := appraisal.Check{ID: "measurements.compose", Outcome: appraisal.Passed, Got: hash, Source: "the measured compose file, against Teapot's allow-list"}
	for _, ref := range a.policy.Code {
		if ref.AcceptByHash && slices.Contains(lowered(ref.AppCompose), hash) {
			c.Detail = "the compose file is accepted by its hash, as your policy says; its text was not judged"
			return c
		}
	}
	report := eventlog.JudgeCompose(text)
	if len(report.Findings) == 0 {
		c.Detail = "the compose file keeps the platform's sockets to Teapot: " + servicesText(report)
		return c
	}
	var findings []string
	for _, f := range report.Findings {
		findings = append(findings, f.String())
	}
	c.Outcome, c.Fault = appraisal.Failed, "operator"
	c.Detail = "the compose file lets other code reach the platform, or change unnoticed: " + findings[0]
	c.Want = strings.Join(findings, "; ")
	c.Remedy = "ask the operator for a compose file within the rules (docs/policy.md); or review this one and pin its hash with accept_compose_by_hash"
	return c
}

func servicesText(r eventlog.ComposeReport) string {
	names := make([]string, len(r.Services))
	for i, s := range r.Services {
		names[i] = s.Name + " (" + s.Image + ")"
	}
	return fmt.Sprintf("%d services, images by digest, no scripts, no added privileges: %s", len(names), strings.Join(names, ", "))
}
