package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// writers are the commands that keep an agent's log, keys and sockets. They rest on what Unix promises: file modes that keep
// others out, directories that can be made durable, sockets with known peers. A reader's commands need none of that.
func writers() []*cobra.Command {
	return []*cobra.Command{newBackupCmd(), newRestoreCmd(), newRunCmd(), newServeCmd(), newSimulateCmd()}
}

// refuseOn makes writers say so on a system where they cannot keep their promises, before they touch anything.
func refuseOn(system string, cmds []*cobra.Command) []*cobra.Command {
	if system != "windows" {
		return cmds
	}
	for _, cmd := range cmds {
		cmd.Args, cmd.RunE = cobra.ArbitraryArgs, func(cmd *cobra.Command, _ []string) error {
			return &exitError{
				code: 2, err: fmt.Errorf("%s does not run on Windows: it needs Unix file modes, durable directories and sockets with known peers", cmd.CommandPath()),
				hint: "run it on Linux (WSL or a container will do), or on macOS to try things out; verify, quote, bundle, policy, tcb, chat and the other commands of a reader work here",
			}
		}
	}
	return cmds
}
