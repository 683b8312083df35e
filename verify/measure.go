package verify

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/eventlog"
	"github.com/teapot-tee/teapot/evidence"
)

// measured is what a quote's registers say once the logs beside it replay to them. Hex, lower case.
type measured struct {
	values map[string]string
	isvsvn uint16
	prodID *uint16
	events []eventlog.Event
}

// measurements reports the link for the quote of one start: replay, compose rules, reference values, unmeasured inputs.
func (a *appraiser) measurements(s *start, when time.Time) {
	m, checks := a.measure(s)
	a.add(checks...)
	if s.boot == nil {
		return
	}
	m.values["configuration_sha256"], m.values["plugins_sha256"] = s.boot.Configuration.String(), s.boot.Plugins.String()
	a.add(a.code(m, s.boot, when))
	a.unmeasured(s.boot.Unmeasured)
}

// measure reads the registers and replays the logs.
func (a *appraiser) measure(s *start) (measured, []appraisal.Check) {
	m := measured{values: map[string]string{}}
	q := s.judged.report.Quote
	if q.Enclave != nil {
		m.enclave(q.Enclave)
		return m, nil
	}
	m.td(q.TD)
	if len(s.evidence.EventLog) == 0 {
		return m, withoutRuntimeLog(s)
	}
	events, err := eventlog.Parse(s.evidence.EventLog)
	replayed := err == nil && eventlog.Replay(events) == eventlog.Registers(q.TD.RTMR)
	if !replayed {
		return m, []appraisal.Check{replayFailed(err)}
	}
	m.events = events
	checks := []appraisal.Check{{
		ID: "measurements.replay", Outcome: appraisal.Passed, Source: "SHA-384 extends of the event log",
		Detail: fmt.Sprintf("the %d events of the log give exactly the registers in the quote", len(events)),
	}}
	return m, append(checks, a.compose(&m, s)...)
}

// withoutRuntimeLog: a plain TDX guest brings the firmware's log (CCEL) or none. Registers that no log explains can still be
// compared as they are; a compose file needs the log that ties it to the quote.
func withoutRuntimeLog(s *start) []appraisal.Check {
	var checks []appraisal.Check
	if len(s.evidence.CCEL) > 0 {
		checks = append(checks, ccel(s.evidence.CCEL, s.judged.report.Quote.TD.RTMR))
	}
	if s.boot != nil && (s.boot.Platform == "dstack-tdx" || s.boot.Platform == "simulator") {
		return append(checks, composeFailed("the event log was not sent: what the application is cannot be told", "", "the guest's event log"))
	}
	if len(s.evidence.AppCompose) > 0 {
		checks = append(checks, composeFailed("a compose file is shown, but no event log that would tie it to the quote", "", "a compose-hash event"))
	}
	return checks
}

// ccel replays the firmware's log. It must give RTMR0 and RTMR1; the guest may have extended the others after the firmware
// stopped writing, which the log cannot show.
func ccel(raw []byte, want eventlog.Registers) appraisal.Check {
	events, err := eventlog.ParseCCEL(raw)
	got := eventlog.Replay(events)
	if err != nil || got[0] != want[0] || got[1] != want[1] {
		return replayFailed(err)
	}
	c := appraisal.Check{
		ID: "measurements.replay", Outcome: appraisal.Passed, Source: "SHA-384 extends of the firmware's log (CCEL)",
		Detail: fmt.Sprintf("the %d events of the firmware's log give exactly the registers in the quote", len(events)),
	}
	if got != want {
		c.ID, c.Outcome, c.Fault = "measurements.unexplained", appraisal.Warning, "operator"
		c.Detail = "RTMR2 or RTMR3 were extended after the firmware's log ended: the log does not say by what"
		c.Remedy = "pin rtmr2 and rtmr3 in your policy, or waive measurements.unexplained"
	}
	return c
}

func replayFailed(err error) appraisal.Check {
	c := appraisal.Check{
		ID: "measurements.replay", Outcome: appraisal.Failed, Detail: "the event log does not give the registers in the quote: it is not the log of this machine",
		Source: "SHA-384 extends of the event log", Fault: "host", Remedy: "the host edited the log, or sent another machine's; believe nothing that it says about the code",
	}
	if err != nil {
		c.Detail = "the event log cannot be read: " + err.Error()
	}
	return c
}

func (m *measured) enclave(r *dcap.EnclaveReport) {
	prod := r.ProdID
	m.values["mrenclave"], m.values["mrsigner"] = hex.EncodeToString(r.MREnclave[:]), hex.EncodeToString(r.MRSigner[:])
	m.isvsvn, m.prodID = r.SVN, &prod
}

func (m *measured) td(r *dcap.TDReport) {
	for name, v := range map[string][]byte{
		"mrtd": r.MRTD[:], "rtmr0": r.RTMR[0][:], "rtmr1": r.RTMR[1][:], "rtmr2": r.RTMR[2][:], "rtmr3": r.RTMR[3][:],
		"mr_config_id": r.MRConfigID[:], "mr_owner": r.MROwner[:], "mr_owner_config": r.MROwnerConfig[:], "mr_seam": r.MRSeam[:],
	} {
		m.values[name] = hex.EncodeToString(v)
	}
}

// code compares what was measured with the policy's reference values of that time.
func (a *appraiser) code(m measured, boot *evidence.Boot, when time.Time) appraisal.Check {
	c := appraisal.Check{ID: "measurements.code", Source: "your policy, tables [[code]]"}
	if len(a.policy.Code) == 0 {
		c.Outcome, c.Fault, c.Source = appraisal.Warning, "reader", ""
		c.Detail = "the hardware says what code runs, but you gave nothing to compare it with: unknown code"
		c.Got = m.summary()
		c.Remedy = "write a policy with the values you expect: teapot policy init URL, then check its lines and use --policy"
		return c
	}
	var misses []string
	for _, ref := range a.policy.Code {
		if !ref.covers(when) {
			misses = append(misses, fmt.Sprintf("%s: not for starts of %s", ref.Name, when.UTC().Format(time.DateOnly)))
			continue
		}
		diff := ref.differences(m, boot)
		if len(diff) == 0 {
			c.Outcome, c.Detail = appraisal.Passed, fmt.Sprintf("the code is %q of your policy", ref.Name)
			c.Got = m.summary()
			if m.values["mrtd"] != "" && !ref.pinsSystem() {
				c.Outcome, c.Fault = appraisal.Warning, "reader"
				c.Detail = fmt.Sprintf("the application is %q of your policy, which does not pin the system under it: another system can write the same events into RTMR3", ref.Name)
				c.Remedy = "add mrtd, rtmr0, rtmr1 and rtmr2 of the OS image you trust (its publisher's values, or teapot policy init and a check elsewhere)"
			}
			if rtmr3 := m.values["rtmr3"]; rtmr3 != "" && strings.Trim(rtmr3, "0") != "" && len(ref.AppCompose)+len(ref.RTMR3) == 0 {
				c.Outcome, c.Fault = appraisal.Warning, "reader"
				c.Detail = fmt.Sprintf("the system is %q of your policy, which does not pin the application on it: RTMR3 says that there is one", ref.Name)
				c.Remedy = "add app_compose_sha256 (or rtmr3) of the application you reviewed"
			}
			return c
		}
		misses = append(misses, ref.Name+": "+strings.Join(diff, "; "))
	}
	c.Outcome, c.Fault = appraisal.Failed, "operator"
	c.Detail = "the code that runs is none of those your policy accepts"
	c.Got, c.Want = m.summary(), strings.Join(misses, " | ")
	c.Remedy = "ask the operator what was changed; if you accept the new code, add its values as another [[code]] table"
	return c
}

// pinsSystem: RTMR3, with app-compose hash, app id and image hash in it, is written by the guest's own software. It counts
// only where the values of firmware, kernel and OS say that this software is the one that writes the truth.
func (c Code) pinsSystem() bool {
	return len(c.MRTD) > 0 && len(c.RTMR0) > 0 && len(c.RTMR1) > 0 && len(c.RTMR2) > 0
}

func (c Code) covers(t time.Time) bool {
	return (c.From.IsZero() || !t.Before(c.From)) && (c.Until.IsZero() || t.Before(c.Until))
}

// differences lists every value that does not match, in fixed order.
func (c Code) differences(m measured, boot *evidence.Boot) (out []string) {
	for _, v := range c.values() {
		if got := m.values[v.name]; len(v.want) > 0 && !slices.Contains(lowered(v.want), got) {
			out = append(out, fmt.Sprintf("%s is %s, want %s", v.name, orNone(got), strings.Join(lowered(v.want), " or ")))
		}
	}
	if c.ISVProdID != nil && (m.prodID == nil || *m.prodID != *c.ISVProdID) {
		out = append(out, fmt.Sprintf("isvprodid is not %d", *c.ISVProdID))
	}
	if m.isvsvn < c.MinISVSVN {
		out = append(out, fmt.Sprintf("isvsvn is %d, want at least %d", m.isvsvn, c.MinISVSVN))
	}
	if len(c.Software) > 0 && (boot == nil || !slices.Contains(c.Software, boot.Software.Version)) {
		out = append(out, "software is not "+strings.Join(c.Software, " or "))
	}
	return out
}

func orNone(s string) string {
	if s == "" {
		return "not there"
	}
	return s
}

// summary names the values that identify code, shortest first.
func (m measured) summary() string {
	var b []string
	for _, name := range []string{"app_compose_sha256", "mrenclave", "mrsigner", "mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"} {
		if v := m.values[name]; v != "" {
			b = append(b, name+" "+v)
		}
	}
	return strings.Join(b, ", ")
}

// unmeasured lists what the host could have chosen: never affirming.
func (a *appraiser) unmeasured(list []evidence.Unmeasured) {
	if len(list) == 0 {
		return
	}
	names := make([]string, len(list))
	for i, u := range list {
		names[i] = u.Name + " (" + u.Detail + ")"
	}
	a.addOnce(appraisal.Check{
		ID: "measurements.unmeasured", Outcome: appraisal.Warning, Detail: "the host could have chosen these, no measurement covers them: " + strings.Join(names, "; "),
		Source: "the boot statement", Fault: "operator", Remedy: "move them into measured input (compose file, signed manifest); or waive measurements.unmeasured in your policy",
	})
}
