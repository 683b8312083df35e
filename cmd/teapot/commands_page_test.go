package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var updatePage = flag.Bool("update", false, "write docs/commands.md anew")

const commandsPage = "../../docs/commands.md"

const commandsHead = `# Commands

Every command and flag, as ` + "`teapot … --help`" + ` says it. Answers go to standard output, everything else to standard error. Exit codes: 0 met, 1 not
met, 2 could not judge or failed, 64 usage. This page is made from the binary: ` + "`go test ./cmd/teapot -run TestCommandsPage -update`" + `.
`

// The page of all commands is their help, so no flag is undocumented and no documented flag is gone.
func TestCommandsPage(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems refuse some commands")
	}
	for _, name := range []string{"SERVER_PORT", "TEAPOT_ADDR", "TEAPOT_DATA", "TEAPOT_STATE", "TEAPOT_TOKEN", "PHALA_CLOUD_API_PREFIX", "XDG_CACHE_HOME", "XDG_STATE_HOME"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", "~")
	var b strings.Builder
	b.WriteString(commandsHead)
	for _, cmd := range newRootCmd().Commands() {
		writeCommand(&b, cmd)
	}
	if *updatePage {
		if err := os.WriteFile(commandsPage, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(commandsPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != b.String() {
		t.Error("docs/commands.md is not what the commands say: go test ./cmd/teapot -run TestCommandsPage -update")
	}
}

func writeCommand(b *strings.Builder, cmd *cobra.Command) {
	if cmd.Hidden {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n", cmd.CommandPath())
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	if cmd.Runnable() && !cmd.HasSubCommands() {
		fmt.Fprintf(b, "    %s\n\n", cmd.UseLine())
	}
	b.WriteString(strings.TrimSpace(text) + "\n")
	writeBlock(b, cmd.Example)
	writeBlock(b, cmd.LocalFlags().FlagUsages())
	for _, sub := range cmd.Commands() {
		writeCommand(b, sub)
	}
}

// writeBlock writes a fenced block, if there is anything in it.
func writeBlock(b *strings.Builder, text string) {
	if text = strings.TrimRight(text, "\n"); text != "" {
		b.WriteString("\n```\n" + text + "\n```\n")
	}
}
