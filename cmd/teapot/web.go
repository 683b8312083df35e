package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/web"
)

func newWebCmd() *cobra.Command {
	return newGroup(&cobra.Command{
		Use:   "web",
		Short: "The pages in this binary: their hash, and the explorer as one file",
	}, newWebHashCmd(), newWebExportCmd())
}

func newWebHashCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "hash",
		Short: "Print the SHA-256 of the pages, of each file and of the explorer as one file (compare with the published ones)",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			files, err := web.Files()
			if err != nil {
				return err
			}
			sum, err := web.Hash()
			if err != nil {
				return err
			}
			single, _ := web.SingleHash() // "" without a verifier, and --json says that there is none
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"sha256": sum, "files": files, "single": single, "verifier": web.HasVerifier()})
			}
			for _, f := range files {
				fmt.Fprintf(cmd.OutOrStdout(), "%s  %s\n", f.SHA256, f.Name)
			}
			if single != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "%s  (teapot-explorer.html: the explorer as one file, teapot web export)\n", single)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s  (all)\n", sum)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newWebExportCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the explorer with its verifier as one HTML file that needs no server",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			page, err := web.SingleFile()
			if err != nil {
				return &exitError{code: 2, err: err, hint: "build the binary with: make build"}
			}
			if out == "-" {
				_, err = cmd.OutOrStdout().Write(page)
				return err
			}
			return os.WriteFile(out, page, 0o644)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "teapot-explorer.html", "file to write, - for stdout")
	return cmd
}
