package cloud

import (
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/evidence"
)

// TestAnotherAppIsCaughtAfterTheStart: a guest that measured other bytes than the rendered ones is named, and so is a log that is not its own.
func TestAnotherAppIsCaughtAfterTheStart(t *testing.T) {
	app := rendered()
	document := func(compose []byte, spoil bool) []byte {
		guest, err := sim.New(sim.Options{Dir: t.TempDir(), AppCompose: compose, Clock: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		q, err := guest.Quote(t.Context(), evidence.ReportData([]byte("{}")))
		if err != nil {
			t.Fatal(err)
		}
		log := q.EventLog
		if spoil {
			log = []byte("[]")
		}
		doc, err := evidence.Evidence{Platform: "simulator", Statement: []byte("{}"), Quote: q.Raw, EventLog: log}.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	if err := CompareQuoted(document(app.Bytes, false), app); err != nil {
		t.Error(err)
	}
	other := []byte(strings.Replace(string(app.Bytes), "teapot-test", "teapot-evil", 1))
	if err := CompareQuoted(document(other, false), app); err == nil || !strings.Contains(err.Error(), "something else runs") {
		t.Errorf("another app: %v", err)
	}
	if err := CompareQuoted(document(app.Bytes, true), app); err == nil || !strings.Contains(err.Error(), "RTMR3") {
		t.Errorf("another log: %v", err)
	}
	if err := CompareQuoted([]byte("<html>"), app); err == nil {
		t.Error("HTML was taken for evidence")
	}
}
