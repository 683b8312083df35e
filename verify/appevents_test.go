package verify_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/teapot-tee/teapot/appraisal"
)

// Applications may extend RTMR3 once the system is ready. They must not name the OS that they run on, nor spoil the verdict by
// naming a second compose file.
func TestEventsOfApplicationsSayNothingOfTheSystem(t *testing.T) {
	p := genuine(t, t.TempDir())
	image := bytes.Repeat([]byte{7}, 32)
	for _, name := range []string{"compose-hash", "os-image-hash"} {
		if err := p.sim.EmitEvent(t.Context(), name, image); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Change(t.Context(), eliza, "Eliza", []byte(`{"name":"Eliza","bio":"new"}`)); err != nil {
		t.Fatal(err)
	}
	policy := exact(t, p)
	r := appraise(t, p.lookGenuine(t), policy)
	wantMet(t, r)
	if c := r.Find("measurements.compose"); c.Outcome != appraisal.Passed {
		t.Fatalf("%s: %s", c.Outcome, c.Detail)
	}
	policy.Code[0].OSImage = []string{hex.EncodeToString(image)}
	wantFailed(t, appraise(t, p.lookGenuine(t), policy), "measurements.code")
}
