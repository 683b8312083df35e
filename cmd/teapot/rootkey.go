package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/teapot-tee/teapot/attest/detect"
	"github.com/teapot-tee/teapot/boot/sgx"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys/wallets"
)

// operatorKeyFile names a file with the root of keys of a plain TDX guest, in hex. Whoever has it has the keys, and custody says so.
// Off by default. An enclave has --recovery-key instead, which the host never sees.
const operatorKeyFile = "TEAPOT_OPERATOR_KEY_FILE"

// rootKeys fills in where keys come from on platforms that have none of their own. It must run before the data directory is
// touched: under Gramine that is an encrypted mount, whose key it sets. There it may wait for an operator, whom notice tells what to do.
func (f *processFlags) rootKeys(ctx context.Context, env *detect.Environment, notice io.Writer) error {
	key, err := operatorKey(os.Getenv(operatorKeyFile))
	if err != nil {
		return err
	}
	env.OperatorKey = key
	root, err := sgx.Prepare(ctx, sgx.Options{
		SealToSigner: f.sealToSigner, Recovery: f.recoveryKey, Software: evidence.Software{Name: "teapot", Version: version}, Notice: notice,
	})
	if err != nil || root == nil {
		return err
	}
	if key != nil {
		return &exitError{code: 64, err: fmt.Errorf("%s in an enclave would show the key to the host", operatorKeyFile), hint: "teapot provision key makes one that the host never sees; give the enclave its public half with --recovery-key"}
	}
	env.GramineRoot, env.HostEnvironment = root.Hook(), root.HostEnvironment
	return nil
}

// walletDerivation: who configures an agent as Eliza wants it, TEE_MODE and WALLET_SECRET_SALT, gets Eliza's wallets: that is
// what the salt means there. Everybody else gets separate keys per agent and curve.
func walletDerivation(flag string, getenv func(string) string) string {
	mode := strings.ToUpper(strings.TrimSpace(getenv("TEE_MODE")))
	if flag == "" && mode != "" && mode != "OFF" && getenv("WALLET_SECRET_SALT") != "" {
		return wallets.Eliza019
	}
	return flag
}

func operatorKey(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", operatorKeyFile, err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) < 32 {
		return nil, &exitError{code: 64, err: fmt.Errorf("%s: %s does not hold 32 bytes or more in hex", operatorKeyFile, path), hint: "openssl rand -hex 32 makes one"}
	}
	return key, nil
}
