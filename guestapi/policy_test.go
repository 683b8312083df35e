package guestapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/guestapi"
)

func TestReservedKeyPaths(t *testing.T) {
	s, _ := newServer(t, guestapi.AllowEverything())
	for _, path := range []string{"teapot/", "teapot/log/1", "wallet/in/use"} {
		for _, call := range []struct{ path, body string }{
			{"/prpc/Tappd.DeriveKey", `{"path":"` + path + `"}`},
			{"/prpc/Tappd.DeriveKey", `{"path":"` + path + `","random_seed":true}`},
			{"/prpc/DeriveKey", `{"path":"` + path + `"}`},
			{"/prpc/Tappd.DeriveK256Key", `{"path":"` + path + `"}`},
			{"/GetKey", `{"path":"` + path + `"}`},
			{"/v0/GetKey", `{"path":"` + path + `","algorithm":"ed25519"}`},
			{"/prpc/GetKey", `{"path":"` + path + `"}`},
			{"/v1/GetKey", `{"domain":"` + path + `","algorithm":"ed25519"}`},
			{"/prpc/v1/GetKey", `{"domain":"` + path + `","algorithm":"secp256k1"}`},
		} {
			code, got := post(t, s, call.path, call.body)
			if code != 400 || got["key"] != nil || got["k256_key"] != nil || !strings.Contains(fmt.Sprint(got["error"]), path[:6]) {
				t.Errorf("%s %s: %d %v", call.path, call.body, code, got)
			}
		}
	}
	if code, _ := post(t, s, "/GetKey", `{"path":"teapots"}`); code != 200 {
		t.Errorf("teapots is not below teapot/: %d", code)
	}
}

func TestPolicyPerSocket(t *testing.T) {
	all, _ := newServer(t, guestapi.AllowEverything())
	narrow := guestapi.QuotesOnly()
	narrow.Methods = append(narrow.Methods, "GetKey", "GetTlsKey", "IssueCert")
	narrow.KeyPaths = []string{"app/"}
	for _, v := range []struct {
		path, body, refusal string
		policy              guestapi.Policy
	}{
		{"/GetQuote", `{}`, "GetQuote is not allowed", guestapi.Policy{}},
		{"/Info", `{}`, "Info is not allowed", guestapi.Policy{}},
		{"/Version", `{}`, "", guestapi.Policy{}},
		{"/v1/Version", `{}`, "", guestapi.Policy{}},
		{"/GetQuote", `{}`, "", guestapi.QuotesOnly()},
		{"/GetKey", `{"path":"app/x"}`, "GetKey is not allowed", guestapi.QuotesOnly()},
		{"/v1/GetKey", `{"domain":"app/x","algorithm":"ed25519"}`, "GetKey is not allowed", guestapi.QuotesOnly()},
		{"/prpc/Tappd.DeriveKey", `{"path":"app/x"}`, "DeriveKey is not allowed", narrow},
		{"/EmitEvent", `{"event":"x"}`, "EmitEvent is not allowed", narrow},
		{"/Sign", `{"algorithm":"ed25519"}`, "Sign is not allowed", narrow},
		{"/GetKey", `{"path":"app/x"}`, "", narrow},
		{"/GetKey", `{"path":"other"}`, "not allowed on this socket", narrow},
		{"/GetKey", `{}`, "not allowed on this socket", narrow},
		{"/v1/GetKey", `{"domain":"other","algorithm":"ed25519"}`, "not allowed on this socket", narrow},
		{"/prpc/Tappd.TdxQuote", `{"prefix":"app-data"}`, "", narrow},
		{"/prpc/Tappd.TdxQuote", `{"prefix":"ratls-cert"}`, "prefix \"ratls-cert\" is not allowed", narrow},
		{"/GetTlsKey", `{"usage_ra_tls":true}`, "usage_ra_tls is not allowed", narrow},
		{"/v1/IssueCert", `{"usage_ra_tls":true}`, "usage_ra_tls is not allowed", narrow},
		{"/GetTlsKey", `{"subject":"s"}`, "", narrow},
	} {
		code, got := post(t, all.WithPolicy(v.policy), v.path, v.body)
		refused := strings.Contains(fmt.Sprint(got["error"]), v.refusal) && code == 400
		if (v.refusal != "") != refused || v.refusal == "" && code != 200 {
			t.Errorf("%s %s under %+v: %d %v, want refusal %q", v.path, v.body, v.policy, code, got["error"], v.refusal)
		}
	}
}

func TestOnlyASimulatorMayQuoteTeapotsStatements(t *testing.T) {
	if _, err := guestapi.New(guestapi.Options{Attester: &guest{}, AllowTeapotStatements: true}); err == nil {
		t.Error("a real platform quotes Teapot's statements for callers")
	}
}
