// Package gramine is the back end for Gramine SGX: quotes and sealing keys from the pseudo-files in /dev/attestation.
//
// It trusts Gramine, which is part of the measured enclave, to hand out what the CPU made. It compares the report data of every
// quote with what it wrote, because the files are global to the process and anybody in it may write them.
//
// Source: Gramine 1.9, attestation documentation and pal/src/host/linux-sgx; ../shared/facts/gramine.md sections 6 and 7.
package gramine

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/evidence"
)

// Dir is where Gramine shows the pseudo-files.
const Dir = "/dev/attestation"

// Derivations that Key offers. They are recorded in data directories, so their meaning never changes.
const (
	DerivationSealing = "gramine-sgx hkdf-sha256 mrenclave-key/v1"
	DerivationRoot    = "gramine-sgx hkdf-sha256 sealed-root/v1"
)

// ErrDirect says that this is gramine-direct: Gramine without SGX.
var ErrDirect = errors.New("this is gramine-direct, no TEE: the program runs under Gramine but not in an enclave; start it with gramine-sgx")

// Options of the back end.
type Options struct {
	// Dir is the directory of the pseudo-files, Dir when empty.
	Dir string
	// Root returns the root of all keys (32 bytes) and who else could know it, given the sealing keys that this enclave has. Sealing
	// keys change with every microcode update, so whoever keeps data wraps a random root in several slots (boot/envelope).
	// Nil derives the root from the MRENCLAVE sealing key: simple, and lost with the next update.
	Root func([]SealingKey) ([]byte, evidence.Custody, error)
	// HostEnvironment are the variables whose value the manifest leaves to the host; nil: nobody read the manifest.
	HostEnvironment []string
}

// SealingKey is one of the CPU's keys for this enclave, 16 bytes.
type SealingKey struct {
	Name   string // _sgx_mrenclave, _sgx_mrsigner
	Secret []byte
}

// Enclave is an open back end. It is safe for concurrent use; open one per process, the files are global.
type Enclave struct {
	dir        string
	root       []byte
	custody    evidence.Custody
	derivation string
	unmeasured []evidence.Unmeasured
	quoting    sync.Mutex // from the write of user_report_data to the end of the read of quote
}

// Open checks that this is an enclave that can attest and gets the root of its keys.
func Open(_ context.Context, o Options) (*Enclave, error) {
	if o.Dir == "" {
		o.Dir = Dir
	}
	if err := checkType(o.Dir); err != nil {
		return nil, err
	}
	e := &Enclave{dir: o.Dir, custody: evidence.MRENCLAVE, derivation: DerivationSealing, unmeasured: o.unmeasured()}
	keys, err := e.sealingKeys()
	if err != nil {
		return nil, err
	}
	if o.Root == nil {
		e.root = keys[0].Secret
		return e, nil
	}
	e.derivation = DerivationRoot
	if e.root, e.custody, err = o.Root(keys); err != nil {
		return nil, fmt.Errorf("getting the root key: %w", err)
	}
	if len(e.root) < 16 {
		return nil, fmt.Errorf("root key of %d bytes, want 16 or more", len(e.root))
	}
	return e, nil
}

// checkType tells SGX with quotes from SGX without, from Gramine without SGX, and from something else.
func checkType(dir string) error {
	raw, err := os.ReadFile(filepath.Join(dir, "attestation_type"))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		if _, statErr := os.Stat(filepath.Join(dir, "keys")); statErr == nil {
			return ErrDirect
		}
		return fmt.Errorf("%s has no attestation_type: this is not a Gramine enclave: %w", dir, err)
	}
	if err != nil {
		return fmt.Errorf("reading the attestation type: %w", err)
	}
	switch string(raw) {
	case "dcap":
		return nil
	case "none":
		return errors.New(`the manifest has sgx.remote_attestation = "none": this enclave cannot make quotes; set it to "dcap" and sign again`)
	}
	return fmt.Errorf("attestation type %.40q, want dcap", raw)
}

func (e *Enclave) sealingKeys() ([]SealingKey, error) {
	var keys []SealingKey
	for _, name := range []string{"_sgx_mrenclave", "_sgx_mrsigner"} {
		secret, err := os.ReadFile(filepath.Join(e.dir, "keys", name))
		if err != nil {
			return nil, fmt.Errorf("reading sealing key %s: %w", name, err)
		}
		if len(secret) != 16 {
			return nil, fmt.Errorf("sealing key %s has %d bytes, want 16", name, len(secret))
		}
		keys = append(keys, SealingKey{Name: name, Secret: secret})
	}
	return keys, nil
}

// Platform is "gramine-sgx".
func (e *Enclave) Platform() string { return "gramine-sgx" }

// Custody says who else could know the root.
func (e *Enclave) Custody() evidence.Custody { return e.custody }

// Derivation is the one in use.
func (e *Enclave) Derivation() string { return e.derivation }

// Close does nothing.
func (e *Enclave) Close() error { return nil }

// Key is HKDF-SHA256 of the root, salt "teapot-gramine/v1", info the path. SGX makes no voucher for keys.
func (e *Enclave) Key(_ context.Context, path string) (attest.Key, error) {
	return Derive(e.root, path)
}

// Derive is what Key derives: whoever has the root can tell which keys an enclave would have.
func Derive(root []byte, path string) (attest.Key, error) {
	secret, err := hkdf.Key(sha256.New, root, []byte("teapot-gramine/v1"), path, 32)
	if err != nil {
		return attest.Key{}, fmt.Errorf("deriving a key: %w", err)
	}
	return attest.Key{Secret: [32]byte(secret)}, nil
}

// Info comes out of the enclave's own quote.
func (e *Enclave) Info(ctx context.Context) (attest.Info, error) {
	q, err := e.Quote(ctx, [64]byte{})
	if err != nil {
		return attest.Info{}, err
	}
	body := q.Raw[headerSize:]
	return attest.Info{
		Measurements: attest.Measurements{MRENCLAVE: hex.EncodeToString(body[64:96]), MRSIGNER: hex.EncodeToString(body[128:160])},
		Unmeasured:   slices.Clone(e.unmeasured),
	}, nil
}

func (o Options) unmeasured() []evidence.Unmeasured {
	list := []evidence.Unmeasured{{Name: "time", Detail: "every clock of an enclave is the host's"}}
	if o.HostEnvironment == nil {
		list = append(list, evidence.Unmeasured{Name: "passed-through environment", Detail: "values of environment variables that the manifest lets through come from the host"})
	}
	for _, name := range o.HostEnvironment {
		list = append(list, evidence.Unmeasured{Name: "environment variable " + name, Detail: "the manifest leaves its value to the host"})
	}
	return list
}

var _ attest.Attester = (*Enclave)(nil)
