package main

import (
	"os"

	"github.com/spf13/cobra"
)

// tokenFlag adds --token with $TEAPOT_TOKEN as its default. Help prints defaults, so this one has no text: help is pasted into
// questions and logs.
func tokenFlag(cmd *cobra.Command, token *string, usage string) {
	cmd.Flags().StringVar(token, "token", os.Getenv("TEAPOT_TOKEN"), usage+" (default $TEAPOT_TOKEN)")
	cmd.Flags().Lookup("token").DefValue = ""
}
