// Command teapot is the agent, the sidecar, the simulator and the verifier: one file per noun.
//
// It trusts its own command line, files that the line names, and the reader's memory on disk; what a server says is shown as its word and
// judged by package verify. Flags and environment of a server are the host's choice unless they are measured: what is not is listed so.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"
	_ "golang.org/x/crypto/x509roots/fallback" // CA roots inside the binary: measured, and there where an image has none
)

// version is stamped by -ldflags -X main.version=….
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs one command line and returns the exit code: 0 met, 1 not met, 2 could not judge or failed, 64 usage.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRootCmd()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return report(stderr, root.ExecuteContext(ctx))
}

func newRootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:           "teapot",
		Short:         "Check what an autonomous agent is and what it did, trusting only the CPU maker",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &exitError{code: 64, err: err, hint: fmt.Sprintf("run %q for the flags", cmd.CommandPath()+" --help")}
	})
	root.AddCommand(refuseOn(runtime.GOOS, writers())...)
	root.AddCommand(
		newBundleCmd(),
		newCharacterCmd(), newChatCmd(),
		newDeployCmd(),
		newDoctorCmd(),
		newHealthCmd(),
		newLogCmd(),
		newMeasureCmd(),
		newPolicyCmd(),
		newProvisionCmd(),
		newQuoteCmd(),
		newTCBCmd(),
		newVerifyCmd(),
		newVersionCmd(),
		newWalletCmd(),
		newWebCmd(),
	)
	return root
}

// exitError is an error with an exit code and a hint for the person at the terminal.
// A nil err exits silently: the answer was already printed.
type exitError struct {
	code int
	err  error
	hint string
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func report(stderr io.Writer, err error) int {
	if err == nil {
		return 0
	}
	exit := &exitError{code: 2, err: err}
	if !errors.As(err, &exit) {
		exit = &exitError{code: usageOr(err), err: err}
	}
	stderr = foreign{stderr} // errors quote what servers say
	if exit.err != nil {
		fmt.Fprintln(stderr, "teapot: error:", exit.err)
	}
	if exit.hint == "" && errors.Is(exit.err, syscall.ENOSPC) {
		exit.hint = "the disk is full: make room and start again; what was acknowledged is on it"
	}
	if exit.hint != "" {
		fmt.Fprintln(stderr, "teapot: hint:", exit.hint)
	}
	return exit.code
}
