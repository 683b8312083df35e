package tdxguest_test

import (
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/difftest/tdxguest"
	"github.com/teapot-tee/teapot/evidence"
)

// What teapot run and teapot simulate hand out, after a restart and with an event emitted.
func TestRunningSimulatorIsAccepted(t *testing.T) {
	dir, at := t.TempDir(), time.Now()
	if _, err := sim.New(sim.Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	s, err := sim.New(sim.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.EmitEvent(t.Context(), "app", []byte("event")); err != nil {
		t.Fatal(err)
	}
	q, err := s.Quote(t.Context(), evidence.ReportData([]byte("statement")))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := s.CollateralFor(pki.TDX)
	if err != nil {
		t.Fatal(err)
	}
	c, err := dcap.ParseCollateral(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := tdxguest.Verify(q.Raw, c, s.RootDER(), at); err != nil {
		t.Errorf("go-tdx-guest refuses the running simulator's quote: %v", err)
	}
	other, err := sim.New(sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := tdxguest.Verify(q.Raw, c, other.RootDER(), at); err == nil {
		t.Error("go-tdx-guest accepts it under another installation's root")
	}
}
