package main

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/detect"
	"github.com/teapot-tee/teapot/attest/gramine"
	"github.com/teapot-tee/teapot/boot/envelope"
	manifest "github.com/teapot-tee/teapot/deploy/gramine"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys/wallets"
)

// operatorKeyFile names a file with a recovery key in hex: an operator's slot in the enclave's envelope, or the root of keys
// in a plain TDX guest. Whoever has it has the keys, and custody says so. Off by default.
const operatorKeyFile = "TEAPOT_OPERATOR_KEY_FILE"

// rootKeys fills in where keys come from on platforms that have none of their own. It must run before the data directory is
// touched: under Gramine that is an encrypted mount, whose key it sets.
func rootKeys(env *detect.Environment) error {
	operator, err := operatorKey(os.Getenv(operatorKeyFile))
	if err != nil {
		return err
	}
	env.OperatorKey = operator
	if _, err := os.Stat(filepath.Join(gramine.Dir, "attestation_type")); err != nil {
		return nil // no enclave
	}
	if _, err := os.Stat(manifest.EnvelopePath); err != nil {
		return nil // not our manifest: the root is the sealing key
	}
	keys, err := sealingKeys(gramine.Dir)
	if err != nil {
		return err
	}
	dataKey, custody, err := openEnvelope(filepath.Join(manifest.EnvelopePath, "envelope.json"), keys, operator)
	if err != nil {
		return err
	}
	env.GramineRoot = func([]gramine.SealingKey) ([]byte, evidence.Custody, error) {
		root, err := hkdf.Key(sha256.New, dataKey, nil, "teapot/enclave-root/v1", 32)
		return root, custody, err
	}
	return unlockMount(gramine.Dir, dataKey)
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

func sealingKeys(dir string) ([]gramine.SealingKey, error) {
	secret, err := os.ReadFile(filepath.Join(dir, "keys", "_sgx_mrenclave"))
	if err != nil {
		return nil, fmt.Errorf("reading the enclave's sealing key: %w", err)
	}
	return []gramine.SealingKey{{Name: "_sgx_mrenclave", Secret: secret}}, nil
}

// openEnvelope returns the data key, making it at the first start, and wraps it anew for the keys of today.
func openEnvelope(path string, sealing []gramine.SealingKey, operator []byte) ([]byte, evidence.Custody, error) {
	ways := []envelope.Key{{Kind: envelope.MRENCLAVE, Secret: sealing[0].Secret}}
	custody := evidence.MRENCLAVE
	if operator != nil {
		ways, custody = append(ways, envelope.Key{Kind: envelope.Operator, Secret: operator}), evidence.Operator
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		dataKey, sealed, err := envelope.New(ways)
		if err != nil {
			return nil, "", err
		}
		return dataKey, custody, attest.WriteFile(path, sealed)
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading the data key's envelope: %w", err)
	}
	dataKey, _, err := envelope.Open(raw, ways)
	if errors.Is(err, envelope.ErrNoSlot) {
		return nil, "", &exitError{code: 2, err: fmt.Errorf("%s: %w", path, err), hint: "another build, CPU or microcode sealed it: start the old build, or give the recovery key with " + operatorKeyFile}
	}
	if err != nil {
		return nil, "", err
	}
	sealed, err := envelope.Seal(dataKey, ways)
	if err != nil {
		return nil, "", err
	}
	return dataKey, custody, attest.WriteFile(path, sealed)
}

// unlockMount gives Gramine the key of the encrypted mount: 16 bytes in one write.
func unlockMount(dir string, dataKey []byte) error {
	key, err := hkdf.Key(sha256.New, dataKey, nil, "teapot/enclave-mount/v1", 16)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, "keys", manifest.DataKeyName), os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("setting the key of the encrypted mount: %w", err)
	}
	_, err = f.Write(key)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("setting the key of the encrypted mount: %w", err)
	}
	return nil
}
