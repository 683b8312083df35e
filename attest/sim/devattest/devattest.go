// Package devattest plays Gramine's /dev/attestation for programs that know no other TEE, with quotes of the simulator: as a FUSE
// file system, or with named pipes where there is no /dev/fuse.
//
// It is a toy with the shape of the real thing and protects nothing. Like Gramine's, its state is global and a reader may get a
// quote over what another process wrote in between; unlike Gramine's, it is shared by all processes that see the directory.
//
// Shape: Gramine 1.9, attestation documentation ("/dev/attestation" pseudo-files); ../shared/facts/gramine.md section 7.
package devattest

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/teapot-tee/teapot/attest/sim/pki"
)

// Sizes of the pseudo-files.
const (
	reportDataSize = 64
	targetInfoSize = 512
	sealingKeySize = 16
)

// Enclave makes the quotes: attest/sim's Simulator.
type Enclave interface {
	QuoteSGX(ctx context.Context, reportData [64]byte) ([]byte, error)
	EnclaveReport() pki.EnclaveReport
}

// device is the state behind the files.
type device struct {
	enclave Enclave
	seed    []byte // of the sealing keys

	mu         sync.Mutex
	reportData [reportDataSize]byte // guarded by mu
	targetInfo [targetInfoSize]byte // guarded by mu
	keys       map[string][]byte    // guarded by mu; keys that programs set
}

// Played is a directory that is being played. Close it.
type Played struct {
	How   string // "FUSE" or "named pipes", and why
	close func() error
}

// Close stops playing and leaves the directory empty.
func (p *Played) Close() error { return p.close() }

// Options of a played directory.
type Options struct {
	Enclave Enclave
	Seed    []byte // of the sealing keys
	Pipes   bool   // named pipes even where FUSE is there
}

// Play plays in dir, made if it is not there. It must be empty.
func Play(dir string, o Options) (*Played, error) {
	clearDeadMount(dir)
	_, err := os.Stat(dir)
	made := errors.Is(err, os.ErrNotExist)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("playing /dev/attestation: %w", err)
	}
	p, err := o.play(dir)
	if !made {
		return p, err
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(dir))
	}
	closing := p.close
	p.close = func() error { return errors.Join(closing(), os.Remove(dir)) } // an empty /dev/attestation is a riddle to others
	return p, nil
}

// play plays in a directory that is there.
func (o Options) play(dir string) (*Played, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("playing /dev/attestation: %w", err)
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("playing /dev/attestation: %s is not empty (%s, …): a real enclave's, or another simulator's; choose another directory", dir, entries[0].Name())
	}
	d := &device{enclave: o.Enclave, seed: o.Seed, keys: map[string][]byte{}}
	how := "named pipes"
	if !o.Pipes {
		p, err := d.mount(dir)
		if err == nil {
			return p, nil
		}
		how += ", because FUSE cannot be mounted here: " + err.Error()
	}
	p, err := d.pipes(dir)
	if err != nil {
		return nil, fmt.Errorf("playing /dev/attestation: %w", err)
	}
	p.How = how
	return p, nil
}

func (d *device) setReportData(value []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reportData = [reportDataSize]byte{}
	copy(d.reportData[:], value)
}

func (d *device) setTargetInfo(value []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.targetInfo = [targetInfoSize]byte{}
	copy(d.targetInfo[:], value)
}

func (d *device) currentReportData() [reportDataSize]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reportData
}

func (d *device) quote(ctx context.Context) ([]byte, error) {
	return d.enclave.QuoteSGX(ctx, d.currentReportData())
}

// report is SGX's 432-byte REPORT: the body, a key id and a MAC that nobody can check.
func (d *device) report() []byte {
	report := d.enclave.EnclaveReport()
	report.ReportData = d.currentReportData()
	return append(report.Bytes(), make([]byte, 48)...)
}

// myTargetInfo begins with MRENCLAVE and attributes; nothing checks it.
func (d *device) myTargetInfo() []byte {
	report := d.enclave.EnclaveReport()
	return append(append([]byte{}, report.MREnclave[:]...), make([]byte, targetInfoSize-len(report.MREnclave))...)
}

// sealingKey is what EGETKEY would give: for _sgx_mrenclave bound to the measurement, for _sgx_mrsigner to the signer.
func (d *device) sealingKey(name string) ([]byte, error) {
	report := d.enclave.EnclaveReport()
	identity := report.MREnclave
	if name == "_sgx_mrsigner" {
		identity = report.MRSigner
	}
	return hkdf.Key(sha256.New, d.seed, []byte("teapot simulated EGETKEY"), name+string(identity[:]), sealingKeySize)
}

func sealingKeys() []string { return []string{"_sgx_mrenclave", "_sgx_mrsigner"} }
