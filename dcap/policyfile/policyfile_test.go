package policyfile_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/dcap/policyfile"
)

func TestEveryKey(t *testing.T) {
	got, err := policyfile.Parse([]byte(`
accept_status = ["SWHardeningNeeded", "TDRelaunchAdvised"]
accept_advisories = []
grace_days = 30
allow = ["debug", "tud", "migratable", "service_td", "reserved_attributes", "xfam"]
min_tcb_evaluation_data_number = 17
`))
	want := dcap.Policy{
		AcceptStatus:     []dcap.Status{dcap.SWHardeningNeeded, dcap.TDRelaunchAdvised},
		AcceptAdvisories: []string{}, GraceDays: 30, MinEvaluation: 17,
		Allow: dcap.AllowDebug | dcap.AllowTUD | dcap.AllowMigratable | dcap.AllowServiceTD | dcap.AllowReservedAttributes | dcap.AllowXFAM,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestEmptyIsStrict(t *testing.T) {
	if got, err := policyfile.Parse(nil); err != nil || !reflect.DeepEqual(got, dcap.Policy{}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRefused(t *testing.T) {
	for text, words := range map[string]string{
		`accept_status = ["uptodate"]`: "not a TCB status", `accept_status = ["Revoked"]`: "never", `allow = ["everything"]`: "known are debug",
		`grace_days = -1`: "grace_days", `acept_status = []`: "unknown key", `grace_days = "x"`: "policy", `allow = [`: "policy",
	} {
		if _, err := policyfile.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
