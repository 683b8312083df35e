package guestapi_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/guestapi"
)

// TestReportData: facts/dstack.md section 1.3; the keccak and sha3 values of "abc" and "" are the published ones, through prefix "".
func TestReportData(t *testing.T) {
	s, _ := newServer(t, guestapi.AllowEverything())
	content := hex.EncodeToString([]byte("test content"))
	for _, v := range []struct{ name, body, want, hash, prefix string }{
		{"default", `{"report_data":"` + content + `"}`, "7ea0b744ed5e9c0c83ff9f575668e1697652cd349f2027cdf26f918d4c53e8cd50b5ea9b449b4c3d50e20ae00ec29688d5a214e8daff8a10041f5d624dae8a01", "sha512", "app-data"},
		{"0x", `{"report_data":"0x0x` + content + `","hash_algorithm":"sha512"}`, "7ea0b744ed5e9c0c83ff9f575668e1697652cd349f2027cdf26f918d4c53e8cd50b5ea9b449b4c3d50e20ae00ec29688d5a214e8daff8a10041f5d624dae8a01", "sha512", "app-data"},
		{"raw", `{"report_data":"` + strings.Repeat("5a", 64) + `","hash_algorithm":"raw"}`, strings.Repeat("5a", 64), "raw", ""},
	} {
		_, got := post(t, s, "/prpc/Tappd.TdxQuote", v.body)
		if data := fmt.Sprintf("%x", reportDataOf(t, got["quote"])); data != v.want || got["hash_algorithm"] != v.hash || got["prefix"] != v.prefix {
			t.Errorf("%s: %s, hash %v prefix %v", v.name, data, got["hash_algorithm"], got["prefix"])
		}
	}
	lengths := map[string]int{
		"sha256": 32, "sha384": 48, "sha512": 64, "sha3-256": 32, "sha3-384": 48, "sha3-512": 64,
		"keccak256": 32, "keccak384": 48, "keccak512": 64,
	}
	for algorithm, size := range lengths {
		_, got := post(t, s, "/prpc/Tappd.TdxQuote", `{"report_data":"00","hash_algorithm":"`+algorithm+`","prefix":"own"}`)
		data := reportDataOf(t, got["quote"])
		if strings.Trim(string(data[size:]), "\x00") != "" || string(data[size-8:size]) == strings.Repeat("\x00", 8) {
			t.Errorf("%s: digest does not end at byte %d: %x", algorithm, size, data)
		}
		if got["prefix"] != "own" {
			t.Errorf("%s: prefix %v", algorithm, got["prefix"])
		}
	}
	for body, want := range map[string]string{
		`{"report_data":"00","hash_algorithm":"md5"}`: "invalid hash algorithm",
		`{"report_data":"00","hash_algorithm":"raw"}`: "invalid content length",
		`{"report_data":"zz"}`:                        "must be hex",
		`{"report_data":"000"}`:                       "must be hex",
	} {
		if code, got := post(t, s, "/prpc/Tappd.TdxQuote", body); code != 400 || !strings.Contains(fmt.Sprint(got["error"]), want) {
			t.Errorf("%s: %d %v", body, code, got)
		}
	}
	if code, got := post(t, s, "/GetQuote", `{"report_data":"`+strings.Repeat("00", 65)+`"}`); code != 400 || got["error"] != "Report data is too long" {
		t.Errorf("65 bytes: %d %v", code, got)
	}
}

// TestAttackAttestAForeignKeyThroughAnOpenEndpoint (a row of the attack table): nobody gets a quote over what could be a statement of Teapot. Report data that begin with TEAPOT, by every method, spelling and padding, under the widest policy.
func TestAttackAttestAForeignKeyThroughAnOpenEndpoint(t *testing.T) {
	s, g := newServer(t, guestapi.AllowEverything())
	for _, tail := range []string{"", "\x00\x01", "\x00\x02", "\xff\xff anything", strings.Repeat("x", 58)} {
		short := hex.EncodeToString([]byte("TEAPOT" + tail))
		full := hex.EncodeToString([]byte("TEAPOT" + tail + strings.Repeat("\x00", 58-len(tail))))
		for path, body := range map[string]string{
			"/prpc/Tappd.TdxQuote":  `{"report_data":"` + full + `","hash_algorithm":"raw"}`,
			"/prpc/TdxQuote":        `{"report_data":"0x` + full + `","hash_algorithm":"raw","prefix":"own"}`,
			"/prpc/Tappd.RawQuote":  `{"report_data":"` + full + `"}`,
			"/prpc/RawQuote":        `{"report_data":"` + strings.ToUpper(full) + `"}`,
			"/GetQuote":             `{"report_data":"` + short + `"}`,
			"/v0/GetQuote":          `{"report_data":"` + short + `"}`,
			"/prpc/GetQuote":        `{"report_data":"` + short + `"}`,
			"/DstackGuest.GetQuote": `{"report_data":"` + full + `"}`,
			"/Attest":               `{"report_data":"` + short + `"}`,
			"/v0/Attest":            `{"report_data":"` + full + `"}`,
			"/v1/Attest":            `{"report_data":"` + short + `"}`,
			"/prpc/v1/Attest":       `{"report_data":"` + short + `"}`,
		} {
			code, got := post(t, s, path, body)
			if code != 400 || !strings.Contains(fmt.Sprint(got["error"]), "reserved for Teapot") {
				t.Errorf("%s %s: %d %v", path, body, code, got)
			}
		}
	}
	if len(g.quoted) != 0 {
		t.Fatalf("%d quotes reached the platform", len(g.quoted))
	}
	// Hashed data may contain the word: what counts is the final 64 bytes.
	for _, body := range []string{
		`{"report_data":"` + hex.EncodeToString([]byte("TEAPOT")) + `"}`,
		`{"report_data":"00","prefix":"TEAPOT"}`,
		`{"report_data":"00","prefix":"TEAPOT\u0000\u0001"}`,
	} {
		if code, got := post(t, s, "/prpc/Tappd.TdxQuote", body); code != 200 {
			t.Errorf("hashed %s: %d %v", body, code, got)
		}
	}
	for _, rd := range g.quoted {
		if strings.HasPrefix(string(rd[:]), "TEAPOT") {
			t.Errorf("quoted %x", rd)
		}
	}
}
