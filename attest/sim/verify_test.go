package sim

import (
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap"
)

// Quotes of both modes verify with the simulator's own collateral under its own root, for a year of renewals, and never as
// Intel's.
func TestQuotesVerifyForAYear(t *testing.T) {
	now := fixedClock()
	s := newSim(t, Options{Clock: func() time.Time { return now }})
	var v dcap.Verifier
	for range 13 {
		for _, tee := range []pki.TEE{pki.TDX, pki.SGX} {
			raw, err := s.CollateralFor(tee)
			if err != nil {
				t.Fatal(err)
			}
			c, err := dcap.ParseCollateral(raw)
			if err != nil {
				t.Fatal(err)
			}
			quote := quoteOf(t, s, tee)
			r, err := v.Verify(quote, c, dcap.Options{AllowSimulated: true, At: now})
			if err != nil || !r.Accepted || !r.Simulated || r.Status != dcap.UpToDate {
				t.Fatalf("%s: accepted %v, status %s, %v", now, r.Accepted, r.Status, err)
			}
			if r, err := v.Verify(quote, c, dcap.Options{At: now}); err != nil || r.Accepted {
				t.Fatalf("accepted under Intel's root: %v", err)
			}
		}
		now = now.AddDate(0, 0, 28)
	}
}

func quoteOf(t *testing.T, s *Simulator, tee pki.TEE) []byte {
	t.Helper()
	if tee == pki.SGX {
		raw, err := s.QuoteSGX(t.Context(), [64]byte{1})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	q, err := s.Quote(t.Context(), [64]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	return q.Raw
}
