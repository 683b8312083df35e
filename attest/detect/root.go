package detect

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/evidence"
)

// probeStatement is what the quote at detection is over. It is no statement that any reader accepts
// (docs/formats/statement.md), and the tag keeps callers from asking for the same.
const probeStatement = `{"type":"teapot/probe/v1"}`

// notGenuineError says that a quote's own signatures do not hold, or that its certificates are not in it.
type notGenuineError struct{ check, detail string }

func (e *notGenuineError) Error() string {
	return "the quote is not genuine: " + e.check + ": " + e.detail
}

// rootOf asks the platform for a quote and returns the root certificate's SHA-256 that its signatures end in, and whether
// that is Intel's. Levels and revocation need collateral and are the reader's business.
func rootOf(ctx context.Context, a attest.Attester, now time.Time) (root [32]byte, genuine bool, err error) {
	q, err := a.Quote(ctx, evidence.ReportData([]byte(probeStatement)))
	if err != nil {
		return root, false, err
	}
	var v dcap.Verifier
	report, err := v.Verify(q.Raw, &dcap.Collateral{}, dcap.Options{AllowSimulated: true, At: now})
	if err != nil {
		return root, false, err
	}
	for _, id := range []string{"quote.format", "root.trusted", "pck.chain", "qe.signature", "qe.binding", "quote.signature"} {
		if err := passed(report.Checks, id); err != nil {
			return root, false, err
		}
	}
	return report.RootSHA256, report.RootSHA256 == sha256.Sum256(dcap.IntelRoot()), nil
}

func passed(checks []appraisal.Check, id string) error {
	for _, c := range checks {
		if c.ID == id && c.Outcome == appraisal.Passed {
			return nil
		}
		if c.ID == id {
			return &notGenuineError{id, c.Detail}
		}
	}
	return errors.New("internal: no check " + id)
}
