package main

import (
	"strings"
	"testing"
)

func TestHelpDoesNotPrintTheToken(t *testing.T) {
	t.Setenv("TEAPOT_TOKEN", "canary-token-1f0c")
	for _, words := range [][]string{{"chat"}, {"bundle"}, {"log", "list"}, {"log", "erase"}, {"wallet", "sign"}, {"run"}, {"serve"}} {
		stdout, stderr, code := command(t, append(words, "--help")...)
		if code != 0 || strings.Contains(stdout+stderr, "canary") {
			t.Errorf("teapot %s --help: exit %d\n%s%s", strings.Join(words, " "), code, stdout, stderr)
		}
		if stdout, stderr, _ = command(t, append(words, "--no-such-flag")...); strings.Contains(stdout+stderr, "canary") {
			t.Errorf("teapot %s with a bad flag prints the token", strings.Join(words, " "))
		}
	}
}
