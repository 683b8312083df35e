package main

import (
	"strings"
	"testing"
)

func TestOperatorKeyFile(t *testing.T) {
	good := writeFile(t, "key", strings.Repeat("ab", 32)+"\n")
	if key, err := operatorKey(good); err != nil || len(key) != 32 {
		t.Errorf("%x, %v", key, err)
	}
	if key, err := operatorKey(""); key != nil || err != nil {
		t.Errorf("%x, %v", key, err)
	}
	for _, bad := range []string{writeFile(t, "short", "abcd"), writeFile(t, "text", "not hex"), "/nonexistent"} {
		if _, err := operatorKey(bad); err == nil {
			t.Errorf("%s accepted", bad)
		}
	}
}

func TestElizasSettingsMeanElizasWallets(t *testing.T) {
	for name, c := range map[string]struct {
		flag, mode, salt, want string
	}{
		"as for Eliza":    {"", "production", "s", "eliza/0.1.9"},
		"simulator":       {"", "LOCAL", "s", "eliza/0.1.9"},
		"no salt":         {"", "LOCAL", "", ""},
		"no TEE":          {"", "OFF", "s", ""},
		"salt alone":      {"", "", "s", ""},
		"asked otherwise": {"teapot/wallet/v1", "LOCAL", "s", "teapot/wallet/v1"},
	} {
		env := map[string]string{"TEE_MODE": c.mode, "WALLET_SECRET_SALT": c.salt}
		if got := walletDerivation(c.flag, func(k string) string { return env[k] }); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
