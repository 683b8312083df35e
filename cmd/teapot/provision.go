package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/teapot-tee/teapot/boot/operator"
)

func newProvisionCmd() *cobra.Command {
	return newGroup(&cobra.Command{
		Use:   "provision",
		Short: "Give an SGX enclave its data key back after a microcode update, without showing it to the host",
		Long: `An enclave's sealing keys change with every microcode update, build and machine. With an operator's public key among its measured
input (teapot run --recovery-key), it can ask the operator for its data key: the request is attested, the answer is sealed to the
enclave's memory and signed. The secret half never goes near the host. Whoever has it can read the data, and custody says "operator".`,
	}, newProvisionKeyCmd(), newProvisionAnswerCmd())
}

func newProvisionKeyCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:     "key -o FILE",
		Short:   "Make an operator's key: the secret in FILE, the public half in FILE.pub",
		Example: "  teapot provision key -o operator.key",
		Args:    args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return &exitError{code: 64, err: errors.New("where to? -o FILE")}
			}
			key, err := makeOperatorKey(out)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "operator   %s\nsecret     %s: keep it away from the enclave's host; without it nobody can help after the next microcode update\n"+
				"public     %s.pub: a trusted file of the manifest, named by --recovery-key, from the first start on\n", key.Public().Digest(), out, out)
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file for the secret half; an existing one is not replaced")
	return cmd
}

func makeOperatorKey(path string) (*operator.SecretKey, error) {
	key, err := operator.New()
	if err != nil {
		return nil, err
	}
	secret, err := key.Marshal()
	if err != nil {
		return nil, err
	}
	public, err := key.Public().Marshal()
	if err != nil {
		return nil, err
	}
	return key, errors.Join(createFile(path, secret, 0o600), createFile(path+".pub", public, 0o644))
}

// createFile writes a file that must not be there yet.
func createFile(path string, content []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return &exitError{code: 2, err: err, hint: "a key is never overwritten: choose another name"}
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}
