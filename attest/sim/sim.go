// Package sim is a TEE made of software: quotes in Intel's layouts signed under a root of its own, registers that replay from
// a dstack-style event log, and keys derived from a seed. It exists so that the whole chain is exercised before there is
// hardware, and so that programs written for dstack or plugin-sgx run anywhere.
//
// It protects nothing: whoever can read its data directory has every key and can sign any quote. That shows in the root
// certificate, which is not Intel's (the only thing a verifier goes by), in the certificates' organisation, in the quotes'
// header, in Info and in Custody.
package sim

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys/dstackkey"
)

// Version is what the simulator answers as its guest agent's version: the features of 0.5.7, and whose they are.
const Version = "0.5.7"

// Derivation is recorded in data directories that the simulator made.
const Derivation = "teapot-simulator/v1 hkdf-sha256 dstack-getkey-v0"

// Options of a simulator. The zero value keeps everything in memory and forgets it.
type Options struct {
	Dir        string       // where root and seed are kept (mode 0600); "" keeps nothing
	Seed       []byte       // gives the keys instead of the kept seed; then everybody who knows it has them
	AppCompose []byte       // exact bytes; nil is DefaultAppCompose
	SGX        bool         // quotes are SGX version 3 instead of TDX version 4
	Clock      attest.Clock // nil is time.Now
}

// Simulator is an attest.Attester, attest.CollateralSource and attest.EventEmitter. It is safe for concurrent use.
type Simulator struct {
	options   Options
	authority *pki.Authority
	keys      keyTree
	machine   *machine

	mu         sync.Mutex
	collateral map[pki.TEE]issued // guarded by mu
}

type issued struct {
	at  time.Time
	raw json.RawMessage
}

// New makes a simulator, or the same one again from its directory.
func New(o Options) (*Simulator, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.AppCompose == nil {
		o.AppCompose = DefaultAppCompose()
	}
	kept, err := load(o.Dir, o.Clock)
	if err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	seed := kept.seed
	if o.Seed != nil {
		if len(o.Seed) < 16 {
			return nil, fmt.Errorf("simulator: seed of %d bytes, want 16 or more", len(o.Seed))
		}
		seed = o.Seed
	}
	m, err := newMachine(o.AppCompose, kept.instance)
	if err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	tree, err := newKeyTree(seed, m.appID)
	if err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	return &Simulator{options: o, authority: kept.authority, keys: tree, machine: m, collateral: map[pki.TEE]issued{}}, nil
}

// Platform is "simulator".
func (s *Simulator) Platform() string { return "simulator" }

// Derivation names the key derivation.
func (s *Simulator) Derivation() string { return Derivation }

// Custody is the operator's, or everybody's when a seed was given.
func (s *Simulator) Custody() evidence.Custody {
	if s.options.Seed != nil {
		return evidence.PublicSeed
	}
	return evidence.Operator
}

// Close does nothing: what is kept was written by New.
func (s *Simulator) Close() error { return nil }

// RootDER is the root certificate that simulated quotes verify under, DER.
func (s *Simulator) RootDER() []byte { return s.authority.RootDER() }

// Quote signs a TDX version 4 quote, or an SGX version 3 quote in SGX mode.
func (s *Simulator) Quote(ctx context.Context, reportData [64]byte) (attest.Quote, error) {
	if s.options.SGX {
		raw, err := s.QuoteSGX(ctx, reportData)
		return attest.Quote{Raw: raw}, err
	}
	if err := ctx.Err(); err != nil {
		return attest.Quote{}, err
	}
	rtmr, log, err := s.machine.snapshot()
	if err != nil {
		return attest.Quote{}, err
	}
	report := s.machine.report(rtmr)
	report.ReportData = reportData
	raw, err := s.authority.QuoteTDX(report)
	if err != nil {
		return attest.Quote{}, fmt.Errorf("simulator: signing a quote: %w", err)
	}
	return attest.Quote{Raw: raw, EventLog: log}, nil
}

// QuoteSGX signs an SGX version 3 quote of the same identity, whatever the mode.
func (s *Simulator) QuoteSGX(ctx context.Context, reportData [64]byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	report := s.machine.enclave
	report.ReportData = reportData
	raw, err := s.authority.QuoteSGX(report)
	if err != nil {
		return nil, fmt.Errorf("simulator: signing a quote: %w", err)
	}
	return raw, nil
}

// EnclaveReport is the SGX identity of the simulated enclave, without report data.
func (s *Simulator) EnclaveReport() pki.EnclaveReport { return s.machine.enclave }

// Key derives as dstack's GetKey does, with the chain of signatures of purpose "teapot" over the public key where the path
// ends in a curve.
func (s *Simulator) Key(_ context.Context, path string) (attest.Key, error) {
	secret := dstackkey.GetKey(s.keys.appRoot[:], path)
	algorithm := path[strings.LastIndexByte(path, '/')+1:]
	if algorithm != "ed25519" && algorithm != "secp256k1" {
		return attest.Key{Secret: secret}, nil
	}
	public, err := dstackkey.Public(secret, algorithm)
	if err != nil {
		return attest.Key{}, fmt.Errorf("simulator: key %s: %w", path, err)
	}
	link, err := dstackkey.Sign(s.keys.appRoot, dstackkey.ClaimV0("teapot", public))
	if err != nil {
		return attest.Key{}, fmt.Errorf("simulator: key %s: %w", path, err)
	}
	return attest.Key{Secret: secret, Chain: [][]byte{link, s.keys.kmsLink}, API: "dstack/v0", Purpose: "teapot"}, nil
}

// DeriveKey is tappd's: the PKCS#8 DER of the P-256 key of a path; the subject only names a certificate.
func (s *Simulator) DeriveKey(_ context.Context, path, _ string) ([]byte, error) {
	key, err := dstackkey.P256(dstackkey.GetKey(s.keys.appRoot[:], path))
	if err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	return dstackkey.DER(key)
}

// AppRoot is the app's secp256k1 root and the simulated KMS' signature over it (65 bytes): what a guest API serves callers' keys from.
func (s *Simulator) AppRoot() (root [32]byte, kmsSignature []byte) {
	return s.keys.appRoot, s.keys.kmsLink
}

// KMSRoot is the compressed public key that the chains of derived keys end at.
func (s *Simulator) KMSRoot() []byte { return s.keys.kmsPublic }

// CAKey signs callers' certificates.
func (s *Simulator) CAKey() *ecdsa.PrivateKey { return s.keys.ca }

// EmitEvent extends RTMR3. Log and register change together, so that every quote's log replays.
func (s *Simulator) EmitEvent(_ context.Context, name string, payload []byte) error {
	if name == "" {
		return errors.New("an event needs a name")
	}
	return s.machine.emit(name, payload)
}

// Collateral is collateral for the simulator's quotes, made anew when half of its life is over.
func (s *Simulator) Collateral(_ context.Context, _ []byte) (json.RawMessage, error) {
	tee := pki.TDX
	if s.options.SGX {
		tee = pki.SGX
	}
	return s.CollateralFor(tee)
}

// CollateralFor is Collateral for quotes of one TEE.
func (s *Simulator) CollateralFor(tee pki.TEE) (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Clock()
	if c, ok := s.collateral[tee]; ok && now.Sub(c.at) < pki.Lifetime/2 && !now.Before(c.at) {
		return c.raw, nil
	}
	raw, err := s.authority.Collateral(tee, now)
	if err != nil {
		return nil, fmt.Errorf("simulator: making collateral: %w", err)
	}
	s.collateral[tee] = issued{now, raw}
	return raw, nil
}

var (
	_ attest.Attester         = (*Simulator)(nil)
	_ attest.CollateralSource = (*Simulator)(nil)
	_ attest.EventEmitter     = (*Simulator)(nil)
	_ attest.PathDeriver      = (*Simulator)(nil)
)
