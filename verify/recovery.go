package verify

import (
	"slices"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/evidence"
)

// notOfRecovery are the links that an enclave which asks for its data key cannot show yet: it has no keys, and so no log.
var notOfRecovery = []string{"custody.keys", "lineage.starts", "signature.checkpoint", "consistency.root", "entries.signed", "witnesses.quorum", "rollback.memory"}

// recovery judges the request of an enclave for its data key: what it is, and that the key in it is its own. Only an enclave asks.
func (a *appraiser) recovery(ev *evidence.Evidence) {
	j := a.judge("recovery", ev, a.at)
	a.hardware([]judged{j})
	if j.err != nil || j.report.Quote == nil || !a.bind("recovery", ev, j.report.Quote.ReportData()) {
		return
	}
	s, err := evidence.ParseRecovery(ev.Statement)
	if err != nil {
		a.badStatement("recovery", err)
		return
	}
	if j.report.Quote.Enclave == nil {
		a.add(appraisal.Check{
			ID: "hardware.platform", Outcome: appraisal.Failed, Detail: "only an SGX enclave asks for its data key, and this quote is of no enclave",
			Fault: "host", Remedy: "do not answer",
		})
		return
	}
	a.result.Platform = "SGX"
	a.pass("keys.statement", "the attested statement names the key to which the data key may be sealed", evidence.Sum(s.Key.Public).String(), "the statement")
	m := measured{values: map[string]string{}}
	m.enclave(j.report.Quote.Enclave)
	a.policy.Code = enclaveOnly(a.policy.Code)
	a.add(a.code(m, &evidence.Boot{Software: s.Software}, a.at))
	a.age("evidence", s.Time, a.policy.MaxAge.Evidence)
	a.mayMiss = append(a.mayMiss, notOfRecovery...)
}

// enclaveOnly leaves out what only a boot statement says, where MRENCLAVE, which covers arguments and trusted files, is pinned.
func enclaveOnly(codes []Code) []Code {
	out := slices.Clone(codes)
	for i := range out {
		if len(out[i].MREnclave) > 0 {
			out[i].Configuration, out[i].Plugins = nil, nil
		}
	}
	return out
}
