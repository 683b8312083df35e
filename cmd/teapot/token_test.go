package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/client"
)

// The token in the operator's environment must not reach every address the operator looks at.
func TestTheEnvironmentsTokenStaysOnThisMachine(t *testing.T) {
	t.Setenv("TEAPOT_TOKEN", "secret")
	for _, c := range []struct {
		address string
		flags   []string
		want    string
	}{
		{"http://127.0.0.1:3000", nil, "secret"},
		{"http://localhost:3000", nil, "secret"},
		{"https://stranger.example", nil, ""},
		{"https://127.0.0.1.stranger.example", nil, ""},
		{"https://mine.example", []string{"--token", "other"}, "other"},
	} {
		var token string
		var noted bytes.Buffer
		cmd := &cobra.Command{Use: "x"}
		cmd.SetErr(&noted)
		tokenFlag(cmd, &token, "")
		if err := cmd.ParseFlags(c.flags); err != nil {
			t.Fatal(err)
		}
		base, err := client.ParseAddress(c.address)
		if err != nil {
			t.Fatal(err)
		}
		if got := tokenFor(cmd, base, token); got != c.want || strings.Contains(noted.String(), "secret") || (got == "") != strings.Contains(noted.String(), "is not sent") {
			t.Errorf("%s %v: %q, %q", c.address, c.flags, got, noted.String())
		}
	}
}
