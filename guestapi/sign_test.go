package guestapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/guestapi"
)

func TestSignAndVerify(t *testing.T) {
	s, _ := newServer(t, guestapi.AllowEverything())
	data := strings.Repeat("5a", 32)
	for _, algorithm := range []string{"secp256k1", "k256", "secp256k1_prehashed", "ed25519"} {
		_, got := post(t, s, "/Sign", `{"algorithm":"`+algorithm+`","data":"`+data+`"}`)
		chain := got["signature_chain"].([]any)
		if len(chain) != 3 || chain[0] != got["signature"] || len(chain[1].(string)) != 130 || len(got["signature"].(string)) != 128 {
			t.Errorf("%s: %v", algorithm, got)
		}
		ask := func(data, signature string) map[string]any {
			_, answer := post(t, s, "/Verify", fmt.Sprintf(`{"algorithm":%q,"data":%q,"signature":%q,"public_key":%q}`, algorithm, data, signature, got["public_key"]))
			return answer
		}
		signature := got["signature"].(string)
		if ask(data, signature)["valid"] != true || ask(strings.Repeat("5b", 32), signature)["valid"] != false {
			t.Errorf("%s does not verify, or too much", algorithm)
		}
		if ask(data, signature[2:])["error"] == nil {
			t.Errorf("%s: short signature is malformed, not invalid", algorithm)
		}
	}
	for body, want := range map[string]string{
		`{"algorithm":"","data":"00"}`:                    "Unsupported algorithm",
		`{"algorithm":"secp256k1_prehashed","data":"00"}`: "exactly 32 bytes",
	} {
		if code, got := post(t, s, "/Sign", body); code != 400 || !strings.Contains(got["error"].(string), want) {
			t.Errorf("%s: %d %v", body, code, got)
		}
	}
}

// TestAttest: the first bytes say the format, v0 as a real 0.5.11 agent and v1 as 0.6.
func TestAttest(t *testing.T) {
	s, _ := newServer(t, guestapi.AllowEverything())
	_, v0 := post(t, s, "/Attest", `{"report_data":"0102"}`)
	raw := unhex(t, v0["attestation"].(string))
	// 00, 00 DstackTdx, compact(5006) two bytes, quote, 1 event: imr 3, type, compact digest …
	if raw[0] != 0 || raw[1] != 0 || raw[2] != byte(5006<<2&0xff|1) || raw[4] != 4 || raw[4+568] != 1 || raw[4+5006] != 1<<2 || raw[4+5006+1] != 3 {
		t.Errorf("V0 starts %x", raw[:8])
	}
	if !strings.HasSuffix(string(raw), "\x01\x02"+strings.Repeat("\x00", 62)+string(rune(15<<2))+`{"cpu_count":1}`) {
		t.Errorf("V0 ends %q", raw[len(raw)-90:])
	}
	_, v1 := post(t, s, "/v1/Attest", `{"report_data":"0102"}`)
	raw = unhex(t, v1["attestation"].(string))
	if raw[0] != 0x83 || !strings.HasPrefix(string(raw[1:]), "\xa7version\x01\xa8platform\x82\xa4kind\xa3tdx") || v1["boottime_gpu_evidence"] == nil {
		t.Errorf("V1 starts %q", raw[:40])
	}
}
