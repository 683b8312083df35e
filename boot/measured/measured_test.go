package measured

import (
	"strings"
	"testing"
)

func TestZeroConfigurationAllowsNothing(t *testing.T) {
	c, err := Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := c.Policies()
	if len(p.Spending)+len(p.Erasure.Requesters)+len(p.GuestAPI)+len(p.Witness.Keys) > 0 {
		t.Errorf("%+v", p)
	}
}

func TestStatementAndSocketSayTheSame(t *testing.T) {
	c, err := Parse([]byte("version = 1\n[erasure]\nrequesters = [\"user\", \"operator\"]\n[[guest]]\nname = \"app\"\nmethods = [\"GetQuote\", \"GetKey\"]\nkey_prefixes = [\"app/\"]\n"))
	if err != nil {
		t.Fatal(err)
	}
	s, p := c.Policies().GuestAPI[0], c.Guests[0].Policy()
	if s.Socket != "app" || len(s.Methods) != 2 || len(p.Methods) != 2 || p.KeyPaths[0] != "app/" || s.KeyPrefixes[0] != "app/" || s.RATLS || p.RATLS || p.AnyPrefix {
		t.Errorf("%+v\n%+v", s, p)
	}
	if r := c.Policies().Erasure.Requesters; r[0] != "operator" || r[1] != "user" {
		t.Errorf("requesters %v", r)
	}
}

func TestBadConfigurations(t *testing.T) {
	for text, want := range map[string]string{
		"version = 2":                        "version 2",
		"[erasure]\nrequesters = [\"user\"]": "version is missing",
		"spendig = 1":                        "unknown field",
		"version = 1\n[[spending]]\nagent=\"x\"\nper_day = \"1\"\nPer_Day = \"9\"": "unknown key",
		"version = 1\n[witness]\nquorum = 1":                                       "witness",
		"version = 1\n[[guest]]\nmethods=[\"*\"]":                                  "name",
		"version = 1\n[[spending]]\nagent = \"x\"":                                 "per_transfer",
		"version = ": "toml",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
