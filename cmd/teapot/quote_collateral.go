package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func newQuoteCollateralCmd() *cobra.Command {
	var f judgeFlags
	var out string
	cmd := &cobra.Command{
		Use:   "collateral FILE|- [-o FILE]",
		Short: "Fetch the collateral of a quote, for verifying offline",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			if err := f.checkFetch(); err != nil {
				return err
			}
			raw, err := readQuote(given[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			root, err := readRoot(f.root)
			if err != nil {
				return err
			}
			text, err := f.fetch(cmd.Context(), raw, root)
			if err != nil {
				return err
			}
			text = append(bytes.TrimSpace(text), '\n')
			if out == "" || out == "-" {
				_, err = cmd.OutOrStdout().Write(text)
				return err
			}
			if err := os.WriteFile(out, text, 0o644); err != nil {
				return &exitError{code: 2, err: fmt.Errorf("-o: %w", err)}
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "wrote %s\n", out)
			return nil
		},
	}
	f.registerFetch(cmd)
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to `FILE` instead of standard output")
	return cmd
}
