package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/deploy/gramine"
)

func newDeployGramineCmd() *cobra.Command {
	return newGroup(&cobra.Command{
		Use:   "gramine",
		Short: "Render or check the Gramine manifest of an SGX enclave",
	}, newGramineRenderCmd(), newGramineCheckCmd())
}

func newGramineRenderCmd() *cobra.Command {
	var o gramine.Options
	var out string
	cmd := &cobra.Command{
		Use:     "render [flags] -- ARGS",
		Short:   "Write the manifest; ARGS become the measured arguments of teapot",
		Example: "  teapot deploy gramine render --binary /opt/teapot/teapot --manifest /opt/teapot/manifest.toml --data /var/lib/teapot --envelope /var/lib/teapot-envelope -- run",
		RunE: func(cmd *cobra.Command, given []string) error {
			o.Args = given
			text, err := gramine.Render(o)
			if err != nil {
				return &exitError{code: 64, err: err}
			}
			if out == "" {
				out = o.Manifest
			}
			if out == "-" {
				_, err = fmt.Fprint(cmd.OutOrStdout(), text)
				return err
			}
			return os.WriteFile(out, []byte(text), 0o644)
		},
	}
	cmd.Flags().StringVar(&o.Binary, "binary", "", "absolute path of the teapot binary")
	cmd.Flags().StringVar(&o.Manifest, "manifest", "", "absolute path where the manifest will lie")
	cmd.Flags().StringVar(&o.Data, "data", "/var/lib/teapot", "host directory behind the encrypted mount")
	cmd.Flags().StringVar(&o.Envelope, "envelope", "/var/lib/teapot-envelope", "host directory of the data key's envelope")
	cmd.Flags().StringArrayVar(&o.Files, "file", nil, "further trusted file, e.g. the character (repeat)")
	cmd.Flags().StringToStringVar(&o.Env, "env", nil, "measured environment constants, NAME=VALUE")
	cmd.Flags().StringArrayVar(&o.Passthrough, "pass-env", nil, "name whose value the host may choose: listed as unmeasured (repeat)")
	cmd.Flags().StringVar(&o.EnclaveSize, "enclave-size", "4G", "address range of the enclave; Go needs at least 2G")
	cmd.Flags().IntVar(&o.MaxThreads, "max-threads", 64, "threads of the enclave")
	cmd.Flags().BoolVar(&o.EDMM, "edmm", false, "dynamic memory (SGX2)")
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write, - for stdout (default: --manifest)")
	return cmd
}

func newGramineCheckCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Refuse every option with which the host could change or read the enclave",
		Long:  "Exit 0: strict. Exit 1: at least one option is refused, each with its reason and the remedy.",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			raw, err := os.ReadFile(given[0])
			if err != nil {
				return err
			}
			refusals, err := gramine.Check(raw)
			if err != nil {
				return err
			}
			for _, r := range refusals {
				fmt.Fprintln(cmd.OutOrStdout(), "refused:", r)
			}
			if len(refusals) > 0 {
				return &exitError{code: 1}
			}
			fmt.Fprintln(cmd.OutOrStdout(), "strict: nothing refused")
			return nil
		},
	}
}
