package eventlog

import (
	"encoding/hex"
	"fmt"

	"golang.org/x/crypto/sha3"

	"github.com/teapot-tee/teapot/appraisal"
)

// Input is what Appraise compares. Measures come from a quote that was accepted; everything else is a claim.
type Input struct {
	Measures   Measures
	Events     []Event
	AppCompose []byte // exact bytes; nil: not sent
}

// Appraise compares a dstack log with a quote's registers and the app-compose file with the log. It reports every check, in
// fixed order; the compose allow-list is ComposeReport's.
func Appraise(in Input) (System, []appraisal.Check) {
	var checks []appraisal.Check
	replayed := Replay(in.Events)
	ok := true
	for i, r := range replayed {
		c := compare(fmt.Sprintf("eventlog.rtmr%d", i), r[:], in.Measures.RTMR[i][:], "the register in the quote", fmt.Sprintf("the log replays to RTMR%d of the quote", i))
		ok = ok && c.Outcome == appraisal.Passed
		checks = append(checks, c)
	}
	if !ok {
		return System{}, append(checks, unread("eventlog.system", "the log is not that of the quote: what it says does not count"))
	}
	system, err := ReadSystem(in.Events)
	c := appraisal.Check{ID: "eventlog.system", Link: "measurements", Outcome: appraisal.Passed, Detail: "the system events say once each what the guest was started with", Source: "runtime events up to system-ready"}
	if err != nil {
		c.Outcome, c.Detail, c.Fault, c.Remedy = appraisal.Failed, err.Error(), "operator", "use a dstack version that this Teapot knows, or update Teapot"
		return System{}, append(checks, c)
	}
	return system, append(append(checks, c), composeChecks(in, system)...)
}

func composeChecks(in Input, s System) []appraisal.Check {
	if in.AppCompose == nil || s.ComposeHash == nil {
		return []appraisal.Check{unread("compose.hash", "no app-compose file was sent, or the platform is too old to measure one")}
	}
	hash := ComposeHash(in.AppCompose)
	checks := []appraisal.Check{compare("compose.hash", hash[:], s.ComposeHash, "event compose-hash", "the app-compose file is the one that was measured")}
	id := AppID(hash)
	c := compare("compose.app_id", s.AppID, id[:], "first 20 bytes of the compose hash", "the app id is that of this app-compose file")
	if c.Outcome == appraisal.Failed && (s.KeyProvider.Name == "kms" || s.KeyProvider.Name == "") { // 0.3 has no key-provider event
		c.Outcome, c.Fault = appraisal.Passed, ""
		c.Detail = "the app id was given by the KMS' contract: keys survive an upgrade that the contract allows"
		c.Remedy = ""
	}
	checks = append(checks, c)
	if in.Measures.MRConfigID != ([48]byte{}) {
		checks = append(checks, configID(in, s))
	}
	return checks
}

// configID: the host sets MRCONFIGID when it builds the TD; dstack 0.5.7 and later puts the compose hash there.
func configID(in Input, s System) appraisal.Check {
	got := in.Measures.MRConfigID
	want := ConfigIDV1([32]byte(s.ComposeHash))
	if got[0] == 2 {
		want = ConfigIDV2([32]byte(s.ComposeHash), [20]byte(s.AppID), s.KeyProvider)
	}
	return compare("compose.mr_config_id", got[:], want[:], "compose hash in the event log", "MRCONFIGID names the same app-compose file")
}

// ConfigIDV2 is MRCONFIGID of dstack 0.6: 02, then keccak-256 of compose hash, app id, provider kind and provider id.
func ConfigIDV2(composeHash [32]byte, appID [20]byte, k KeyProvider) (id [48]byte) {
	kind := map[string]byte{"none": 0, "local-sgx": 1, "kms": 2, "tpm": 3}[k.Name]
	h := sha3.NewLegacyKeccak256()
	h.Write(composeHash[:])
	h.Write(appID[:])
	h.Write([]byte{kind})
	h.Write(k.ID)
	id[0] = 2
	copy(id[1:], h.Sum(nil))
	return id
}

func compare(id string, got, want []byte, source, detail string) appraisal.Check {
	c := appraisal.Check{ID: id, Link: "measurements", Outcome: appraisal.Passed, Detail: detail, Got: hex.EncodeToString(got), Want: hex.EncodeToString(want), Source: source}
	if c.Got != c.Want {
		c.Outcome, c.Fault, c.Remedy = appraisal.Failed, "host", "believe nothing that the log or the file says; ask for the evidence again"
		c.Detail = "not so: " + detail
	}
	return c
}

func unread(id, why string) appraisal.Check {
	return appraisal.Check{ID: id, Link: "measurements", Outcome: appraisal.NotChecked, Detail: why}
}
