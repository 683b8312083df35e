// Package sgx readies a Gramine SGX enclave before its data directory is touched: it refuses a manifest that lets the host in, opens
// the envelope of the data key, and gives Gramine the key of the encrypted mount.
//
// It trusts the measured manifest for what is mounted where and the CPU for the sealing keys. It does not trust the envelope file: an
// old or foreign one opens the same key or none. The root in the envelope is random, so a microcode update, which changes both sealing
// keys, loses nothing as long as one other slot opens; every start seals the envelope anew for the keys of today. Where only the
// operator's slot is left, the enclave asks for an answer and waits (recover.go).
//
// Source: Gramine 1.9 documentation of /dev/attestation; facts on Gramine, sections 6 and 7.
package sgx

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/gramine"
	"github.com/teapot-tee/teapot/boot/envelope"
	"github.com/teapot-tee/teapot/boot/operator"
	manifest "github.com/teapot-tee/teapot/deploy/gramine"
	"github.com/teapot-tee/teapot/evidence"
)

// Options of Prepare. Empty paths take the places of the rendered manifest.
type Options struct {
	Attestation  string // gramine.Dir
	Manifest     string // manifest.ManifestPath
	Envelope     string // manifest.EnvelopePath
	SealToSigner bool   // also a slot that any code of the same signer opens: survives upgrades of the program, and shows in custody
	// Recovery is a trusted file with an operator's public key (package operator): also a slot that this person opens. Survives
	// microcode updates and upgrades, and shows in custody. Empty: off, the default.
	Recovery string
	Software evidence.Software // stands in a request to the operator
	Notice   io.Writer         // told what the operator must do; nil: nobody
}

// Root is the opened data key.
type Root struct {
	Secret  []byte           // the data key, 32 bytes; keys and the mount's key derive from it
	Custody evidence.Custody // the widest slot of the envelope
	Opened  envelope.Kind    // which slot opened; empty: made at this start
	// HostEnvironment are the variables whose value the manifest leaves to the host; never nil.
	HostEnvironment []string
}

// Prepare runs once, before anything reads the data directory. Outside an enclave it returns nil. It waits for the operator where
// no other slot opens.
func Prepare(ctx context.Context, o Options) (*Root, error) {
	o = o.defaults()
	if _, err := os.ReadFile(filepath.Join(o.Attestation, "attestation_type")); err != nil {
		return nil, nil //nolint:nilnil,nilerr // no enclave: gramine-direct and plain machines have no such file
	}
	passed, err := checkManifest(o.Manifest)
	if err != nil {
		return nil, err
	}
	keys, err := o.slotKeys()
	if err != nil {
		return nil, err
	}
	recovery, err := o.recovery()
	if err != nil {
		return nil, err
	}
	root, err := o.open(ctx, keys, recovery)
	if err != nil {
		return nil, err
	}
	root.HostEnvironment = passed
	if root.Custody, err = o.custody(); err != nil {
		return nil, err
	}
	return root, o.keyMount(root.Secret)
}

// Hook is gramine.Options.Root with what was opened here.
func (r *Root) Hook() func([]gramine.SealingKey) ([]byte, evidence.Custody, error) {
	return func([]gramine.SealingKey) ([]byte, evidence.Custody, error) {
		root, err := RootOf(r.Secret)
		return root, r.Custody, err
	}
}

// RootOf is the root of all keys (gramine.Derive) that a data key stands for.
func RootOf(dataKey []byte) ([]byte, error) {
	return hkdf.Key(sha256.New, dataKey, nil, "teapot/enclave-root/v1", 32)
}

func (o Options) defaults() Options {
	if o.Attestation == "" {
		o.Attestation = gramine.Dir
	}
	if o.Manifest == "" {
		o.Manifest = manifest.ManifestPath
	}
	if o.Envelope == "" {
		o.Envelope = manifest.EnvelopePath
	}
	return o
}

// checkManifest refuses what is not strict, and returns the variables that the host chooses.
func checkManifest(path string) ([]string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the enclave's own manifest: %w; render it with teapot deploy gramine render", err)
	}
	refusals, err := manifest.Check(raw)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, r := range refusals {
		errs = append(errs, errors.New(r.String()))
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("this enclave's manifest lets the host in; it will not start: %w", errors.Join(errs...))
	}
	names, err := manifest.Passthrough(raw)
	return append([]string{}, names...), err
}

func (o Options) slotKeys() ([]envelope.Key, error) {
	var keys []envelope.Key
	own, err := o.sealingKey("_sgx_mrenclave")
	if err != nil {
		return nil, err
	}
	keys = append(keys, envelope.Key{Kind: envelope.MRENCLAVE, Secret: own})
	if o.SealToSigner {
		signer, err := o.sealingKey("_sgx_mrsigner")
		if err != nil {
			return nil, err
		}
		keys = append(keys, envelope.Key{Kind: envelope.MRSIGNER, Secret: signer})
	}
	return keys, nil
}

func (o Options) sealingKey(name string) ([]byte, error) {
	key, err := os.ReadFile(filepath.Join(o.Attestation, "keys", name))
	if err != nil {
		return nil, fmt.Errorf("reading the sealing key %s: %w", name, err)
	}
	if len(key) != 16 {
		return nil, fmt.Errorf("the sealing key %s has %d bytes, 16 wanted", name, len(key))
	}
	return key, nil
}

// open opens the envelope or makes the first one, and seals it anew for the keys of today.
func (o Options) open(ctx context.Context, keys []envelope.Key, recovery *operator.PublicKey) (*Root, error) {
	path := filepath.Join(o.Envelope, "envelope.json")
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		secret, sealed, err := envelope.New(keys, recovery)
		if err != nil {
			return nil, err
		}
		return &Root{Secret: secret}, attest.WriteFile(path, sealed)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the data key's envelope: %w", err)
	}
	secret, kind, err := envelope.Open(raw, keys)
	if errors.Is(err, envelope.ErrNoSlot) && recovery != nil {
		secret, err = o.ask(ctx, raw, recovery)
		kind = envelope.Operator
	}
	if errors.Is(err, envelope.ErrNoSlot) {
		return nil, fmt.Errorf("%s: %w. After a microcode update, in another build or on another machine the sealing keys are others. The data is "+
			"unharmed and opens again in what sealed it: the same binary, arguments and manifest under the same microcode (boot the host with the old one). "+
			"Before the next change, start that with --seal-to-signer (for new builds of the same signer); only an enclave that had --recovery-key from its "+
			"first start survives a microcode update: see docs/deploy/sgx.md", path, err)
	}
	if err != nil {
		return nil, err
	}
	sealed, err := envelope.Seal(secret, keys, recovery)
	if err != nil {
		return nil, err
	}
	return &Root{Secret: secret, Opened: kind}, attest.WriteFile(path, sealed)
}

// custody names the widest circle that can open the envelope.
func (o Options) custody() (evidence.Custody, error) {
	switch {
	case o.Recovery != "":
		return evidence.Operator, nil
	case o.SealToSigner:
		signer, err := o.signer()
		return evidence.MRSIGNER(signer), err
	}
	return evidence.MRENCLAVE, nil
}

// signer reads MRSIGNER from a local report (offset 128 of the report body).
func (o Options) signer() (string, error) {
	target, err := os.ReadFile(filepath.Join(o.Attestation, "my_target_info"))
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(o.Attestation, "target_info"), target, 0o600); err != nil {
		return "", err
	}
	report, err := os.ReadFile(filepath.Join(o.Attestation, "report"))
	if err != nil {
		return "", err
	}
	if len(report) < 384 {
		return "", fmt.Errorf("the local report has %d bytes, at least 384 wanted", len(report))
	}
	return hex.EncodeToString(report[128:160]), nil
}

// keyMount gives Gramine the 16-byte key of the encrypted mount, derived from the root so that no key has two uses.
func (o Options) keyMount(root []byte) error {
	key, err := hkdf.Key(sha256.New, root, nil, "teapot/enclave-mount/v1", 16)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(o.Attestation, "keys", manifest.DataKeyName), os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("setting the key of the encrypted mount: %w", err)
	}
	_, err = f.Write(key)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("setting the key of the encrypted mount: %w", err)
	}
	return nil
}
