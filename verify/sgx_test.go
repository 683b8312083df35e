package verify_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/verify"
)

// enclaveQuote is an SGX quote over a statement, and what judges it.
func enclaveQuote(t *testing.T, statement []byte, debug bool) (quote []byte, collateral func([]byte) (json.RawMessage, error), at time.Time) {
	t.Helper()
	at = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)
	a, err := pki.New(pki.Options{Seed: bytes.Repeat([]byte{3}, 32), Now: at})
	if err != nil {
		t.Fatal(err)
	}
	report := pki.EnclaveReport{ReportData: evidence.ReportData(statement)}
	if debug {
		report.Attributes[0], report.Attributes[8] = 0x07, 0x07 // INIT, DEBUG, MODE64BIT
	}
	if quote, err = a.QuoteSGX(report); err != nil {
		t.Fatal(err)
	}
	return quote, func([]byte) (json.RawMessage, error) { return a.Collateral(pki.SGX, at) }, at
}

// TestAnEnclaveIsNotAskedForATDsAttributes: what only a TD has must not keep an SGX agent from ever being accepted.
func TestAnEnclaveIsNotAskedForATDsAttributes(t *testing.T) {
	for _, debug := range []bool{false, true} {
		quote, collateral, at := enclaveQuote(t, []byte("{}"), debug)
		r, err := verify.Appraise(verify.Input{Target: "quote", Kind: verify.KindQuote, File: quote, Collateral: collateral}, verify.Policy{Simulated: "allow"}, at)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Checks {
			if (c.Link == "hardware" || c.Link == "debug" || c.Link == "TCB") && c.Outcome == appraisal.NotChecked {
				t.Errorf("%s: not checked: %s", c.ID, c.Detail)
			}
		}
		if passed := r.Find("debug.off").Outcome == appraisal.Passed; passed == debug {
			t.Errorf("debug %t: %+v", debug, r.Find("debug.off"))
		}
	}
}

// TestARequestIsBoundToItsQuote: a statement with another key under the same quote is contradicted.
func TestARequestIsBoundToItsQuote(t *testing.T) {
	statement := func(b byte) []byte {
		raw, err := evidence.Recovery{Software: evidence.Software{Name: "teapot", Version: "v"}, Key: evidence.HPKEKey{KEM: 0x647a, KDF: 1, AEAD: 2, Public: bytes.Repeat([]byte{b}, 1216)}}.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	quote, collateral, at := enclaveQuote(t, statement(1), false)
	for b, want := range map[byte]int{1: 0, 2: 1} {
		document, err := evidence.Evidence{Platform: "gramine-sgx", Statement: statement(b), Quote: quote}.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		r, err := verify.Appraise(verify.Input{Target: "request", Kind: verify.KindEvidence, File: document, Collateral: collateral}, verify.Policy{Simulated: "allow"}, at)
		if err != nil || r.Exit != want {
			t.Errorf("key %d: exit %d, want %d: %s, %v", b, r.Exit, want, r.Headline, err)
		}
	}
}
