package verify

import (
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
)

// RTMR3 is written by the guest's software: a compose hash alone says nothing on another OS.
func TestComposeHashWithoutTheSystemIsAWarning(t *testing.T) {
	hash, register := strings.Repeat("ab", 32), strings.Repeat("cd", 48)
	m := measured{values: map[string]string{"app_compose_sha256": hash, "mrtd": register, "rtmr0": register, "rtmr1": register, "rtmr2": register, "rtmr3": register}}
	one := []string{register}
	for name, c := range map[string]struct {
		code Code
		want appraisal.Outcome
	}{
		"application alone":   {Code{AppCompose: []string{hash}}, appraisal.Warning},
		"RTMR3 alone":         {Code{RTMR3: one}, appraisal.Warning},
		"without kernel":      {Code{AppCompose: []string{hash}, MRTD: one, RTMR0: one}, appraisal.Warning},
		"with the system":     {Code{AppCompose: []string{hash}, MRTD: one, RTMR0: one, RTMR1: one, RTMR2: one}, appraisal.Passed},
		"another application": {Code{AppCompose: []string{strings.Repeat("00", 32)}, MRTD: one, RTMR0: one, RTMR1: one, RTMR2: one}, appraisal.Failed},
	} {
		a := &appraiser{}
		a.policy.Code = []Code{c.code}
		if got := a.code(m, nil, time.Now()); got.Outcome != c.want {
			t.Errorf("%s: %s, want %s (%s)", name, got.Outcome, c.want, got.Detail)
		}
	}
	enclave := measured{values: map[string]string{"mrenclave": hash}}
	a := &appraiser{}
	a.policy.Code = []Code{{MREnclave: []string{hash}}}
	if got := a.code(enclave, nil, time.Now()); got.Outcome != appraisal.Passed {
		t.Errorf("an enclave has no system under it: %s", got.Outcome)
	}
}
