package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/deploy/cloud"
)

func newDeployStatusCmd() *cobra.Command {
	var t target
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status ID",
		Short: "Ask the platform how an instance is (its word, not evidence)",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			p, err := t.platform(cmd)
			if err != nil {
				return err
			}
			s, err := p.Status(cmd.Context(), given[0])
			if err != nil {
				return quietDryRun(err)
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(s)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s  %s %s %s %s\n", s.ID, s.State, s.Progress, s.Error, s.URL)
			return nil
		},
	}
	t.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newDeployLogsCmd() *cobra.Command {
	var t target
	var follow bool
	var lines int
	cmd := &cobra.Command{
		Use:   "logs ID",
		Short: "Show an instance's console",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			p, err := t.platform(cmd)
			if err != nil {
				return err
			}
			return quietDryRun(p.Logs(cmd.Context(), given[0], follow, lines, cmd.OutOrStdout()))
		},
	}
	t.flags(cmd)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "keep showing new lines")
	cmd.Flags().IntVar(&lines, "lines", 200, "how many of the last lines")
	return cmd
}

func newDeployDownCmd() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use:   "down ID",
		Short: "Stop and remove an instance",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			p, err := t.platform(cmd)
			if err != nil {
				return err
			}
			if err := p.Down(cmd.Context(), given[0]); err != nil {
				return quietDryRun(err)
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s is gone\n", given[0])
			return nil
		},
	}
	t.flags(cmd)
	return cmd
}

func quietDryRun(err error) error {
	if errors.Is(err, cloud.ErrDryRun) {
		return nil
	}
	return err
}
