package verify

import (
	"encoding/hex"
	"fmt"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/evidence"
)

// bind checks that the quote's 64 bytes are the report data of the exact statement bytes.
func (a *appraiser) bind(name string, ev *evidence.Evidence, reportData [64]byte) bool {
	want := evidence.ReportData(ev.Statement)
	c := appraisal.Check{
		ID: "binding.report_data", Outcome: appraisal.Passed,
		Detail: fmt.Sprintf("the %s quote vouches for exactly this statement", name),
		Got:    hex.EncodeToString(reportData[:]), Want: hex.EncodeToString(want[:]),
		Source: "TEAPOT 00 01 ‖ 8 zero bytes ‖ SHA-384 of the statement's bytes",
	}
	if reportData != want {
		c.Outcome, c.Fault = appraisal.Failed, "host"
		c.Detail = fmt.Sprintf("the %s quote was made over something else than the statement shown with it", name)
		c.Remedy = "do not trust what this server says about itself: statement or quote was swapped; ask the operator, and keep the evidence"
	}
	a.addOnce(c)
	return reportData == want
}

// readBoot parses a boot statement and its agent parts; a statement that does not parse is a failed check.
func (a *appraiser) readBoot(name string, ev *evidence.Evidence) (*evidence.Boot, []*evidence.AgentPart) {
	boot, err := evidence.ParseBoot(ev.Statement)
	if err != nil {
		a.badStatement(name, err)
		return nil, nil
	}
	parts, err := ev.MatchParts(boot)
	if err != nil {
		a.badStatement(name, err)
		return boot, nil
	}
	return boot, parts
}

func (a *appraiser) badStatement(name string, err error) {
	a.add(appraisal.Check{
		ID: "keys.statement", Outcome: appraisal.Failed,
		Detail: fmt.Sprintf("the %s statement cannot be read: %v", name, err),
		Fault:  "host", Remedy: "fetch the evidence again; if it stays, the server is of a newer version than this teapot, or lies",
	})
}
