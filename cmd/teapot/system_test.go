package main

import (
	"errors"
	"strings"
	"testing"
)

func TestWritersRefuseWindowsWithWords(t *testing.T) {
	for _, cmd := range refuseOn("windows", writers()) {
		cmd.SetArgs([]string{"argument"})
		err := cmd.Execute()
		var exit *exitError
		if !errors.As(err, &exit) || exit.code != 2 || !strings.Contains(exit.err.Error(), cmd.Name()+" does not run on Windows") || exit.hint == "" {
			t.Errorf("%s: %v", cmd.Name(), err)
		}
	}
}

func TestAnAddressWithoutItsSchemeIsNamed(t *testing.T) {
	for target, want := range map[string]string{
		"127.0.0.1:3000":      "http://127.0.0.1:3000",
		"localhost:3000/":     "http://localhost:3000",
		"agent.example:443/x": "https://agent.example:443/x",
		"agent.bundle":        "or a file",
		`C:\agent.bundle`:     "or a file",
	} {
		if got := notAFile(target); !strings.HasSuffix(got, want) {
			t.Errorf("%s: %s", target, got)
		}
	}
}
