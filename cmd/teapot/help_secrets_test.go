package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestNoHelpTellsASecret: flags take secrets from the environment, and help, which prints defaults, is pasted into questions and logs.
func TestNoHelpTellsASecret(t *testing.T) {
	for _, name := range []string{"TEAPOT_TOKEN", "WALLET_SECRET_SALT", "TEAPOT_LAUNCH_TOKEN", "PHALA_CLOUD_API_KEY", "DSTACK_VMM_TOKEN", "REDPILL_API_KEY", "OPENAI_API_KEY"} {
		t.Setenv(name, "canary-of-the-help")
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if strings.Contains(c.UsageString()+c.Long, "canary-of-the-help") {
			t.Errorf("%s --help prints a secret", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRootCmd())
}
