package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// usageOr gives cobra's own "unknown command" errors the usage exit code; everything else could not be judged.
func usageOr(err error) int {
	if strings.HasPrefix(err.Error(), "unknown command ") { // cobra has no type for it
		return 64
	}
	return 2
}

// args wraps a cobra argument check so that a wrong count exits with 64.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if err := check(cmd, given); err != nil {
			return &exitError{code: 64, err: err, hint: fmt.Sprintf("run %q", cmd.CommandPath()+" --help")}
		}
		return nil
	}
}

// newGroup makes a command that only holds others: alone it prints its help.
func newGroup(cmd *cobra.Command, subs ...*cobra.Command) *cobra.Command {
	cmd.Args = args(cobra.NoArgs)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(subs...)
	return cmd
}
