package verify

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/eventlog"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/tlog"
)

// addOnce adds a check unless the very same one is there: several quotes of one machine fail or pass alike.
func (v *verdict) addOnce(c appraisal.Check) {
	if !slices.ContainsFunc(v.checks, func(x appraisal.Check) bool {
		return x.ID == c.ID && x.Outcome == c.Outcome && x.Detail == c.Detail
	}) {
		v.add(c)
	}
}

// passOnce adds a passed check unless this id has a check already: a link is not reported passed beside its failure.
func (v *verdict) passOnce(id, detail, got, source string) {
	if !slices.ContainsFunc(v.checks, func(x appraisal.Check) bool { return x.ID == id }) {
		v.pass(id, detail, got, source)
	}
}

// verifyWith judges a quote with the collateral given and no other.
func (a *appraiser) verifyWith(ev *evidence.Evidence, collateral json.RawMessage, at time.Time) (*dcap.Report, error) {
	if len(collateral) == 0 {
		return nil, errNoCollateral
	}
	c, err := dcap.ParseCollateral(collateral)
	if err != nil {
		return nil, err
	}
	return a.in.Verifier.Verify(ev.Quote, c, a.options(at))
}

// notesByOrigin sorts a session's checkpoints by the log they are of; what is no checkpoint is left out and then missed.
func notesByOrigin(notes []string) map[string]string {
	out := map[string]string{}
	for _, n := range notes {
		if c, err := tlog.ParseCheckpoint([]byte(n)); err == nil {
			out[c.Origin] = n
		}
	}
	return out
}

// replayed returns the events of an evidence's log if they give the registers of its quote.
func replayed(ev *evidence.Evidence, td *dcap.TDReport) ([]eventlog.Event, bool) {
	if td == nil || len(ev.EventLog) == 0 {
		return nil, false
	}
	events, err := eventlog.Parse(ev.EventLog)
	return events, err == nil && eventlog.Replay(events) == eventlog.Registers(td.RTMR)
}
