package main

import (
	"fmt"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/client"
)

// tokenFlag adds --token with $TEAPOT_TOKEN as its default. Help prints defaults, so this one has no text: help is pasted into
// questions and logs.
func tokenFlag(cmd *cobra.Command, token *string, usage string) {
	cmd.Flags().StringVar(token, "token", os.Getenv("TEAPOT_TOKEN"), usage+" (default $TEAPOT_TOKEN)")
	cmd.Flags().Lookup("token").DefValue = ""
}

// tokenFor is the token to send to a server. One that lies in the environment is for the agent of this machine: it goes to another only
// where the command line says so, because addresses of strangers are what these commands are for.
func tokenFor(cmd *cobra.Command, base *url.URL, token string) string {
	if token == "" || client.Loopback(base) || cmd.Flags().Changed("token") {
		return token
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "teapot: note: $TEAPOT_TOKEN is not sent to %s; --token sends it\n", base.Host)
	return ""
}
