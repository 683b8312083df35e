// Package pki mints what Intel's attestation services mint, in Intel's exact shapes, under a root of its own:
// certificates, revocation lists, TCB info, QE identities, and the quotes that verify against them.
//
// It is the trust base of the simulator and of tests. It proves nothing about hardware: whoever holds the seed can
// sign any quote. Common names are Intel's because independent verifiers compare them; the organisation reads
// "Teapot SIMULATED <id>" and every quote carries "TEAPOT-SIMULATED" in the header's user data. What makes a quote
// simulated for a verifier is neither of these, but that its root is not the pinned Intel root.
//
// Shapes: Intel SGX PCK Certificate and CRL Profile Specification; Intel PCS API v4; Intel TDX DCAP Quoting Library API.
package pki

import (
	"crypto/rand"
	"fmt"
	"time"
)

// UserData are the first 16 bytes of the user data in the header of every simulated quote (the QE ID of real ones).
const UserData = "TEAPOT-SIMULATED"

// Organization returns the O of every certificate of the authority with this id.
func Organization(id string) string { return "Teapot SIMULATED " + id }

// Options of a new authority. The zero value makes a random authority of the default platform, valid from the real
// clock's now.
type Options struct {
	ID       string    // stands in every certificate's organisation; "" takes 8 hex digits of the seed's hash
	Seed     []byte    // 32 bytes or more make everything deterministic; nil draws 32 random bytes
	Now      time.Time // certificates are valid from 24 h before; zero means time.Now()
	Platform *Platform // nil means DefaultPlatform
}

// Authority is a root with everything below it. It is safe for concurrent use: nothing changes after New.
type Authority struct {
	id       string
	seed     []byte
	now      time.Time
	platform Platform

	Root        *Certificate // "Intel SGX Root CA", self-signed
	PlatformCA  *Certificate // "Intel SGX PCK Platform CA"
	PCK         *Certificate // "Intel SGX PCK Certificate", the platform's leaf
	TCBSigner   *Certificate // "Intel SGX TCB Signing"
	tdxQE       *QE
	sgxQE       *QE
	pckChainPEM []byte
}

// New makes an authority. With the same seed, id, time and platform every byte it ever makes is the same.
func New(o Options) (*Authority, error) {
	if o.Seed == nil {
		o.Seed = make([]byte, 32)
		_, _ = rand.Read(o.Seed) // never fails (crypto/rand)
	}
	if len(o.Seed) < 32 {
		return nil, fmt.Errorf("pki: seed has %d bytes, needs 32 or more", len(o.Seed))
	}
	if o.ID == "" {
		o.ID = defaultID(o.Seed)
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	if o.Platform == nil {
		p := DefaultPlatform()
		o.Platform = &p
	}
	a := &Authority{id: o.ID, seed: o.Seed, now: o.Now.UTC().Truncate(time.Second), platform: *o.Platform}
	if err := a.mintChain(); err != nil {
		return nil, err
	}
	return a, a.setUp()
}

// setUp makes the quoting enclaves and the chain that quotes carry, from certificates that are there already.
func (a *Authority) setUp() error {
	a.pckChainPEM = append(ChainPEM(a.PCK, a.PlatformCA, a.Root), 0) // real chains end in NUL
	var err error
	if a.tdxQE, err = a.newQuotingEnclave(a.TDQEReport(), "tdx"); err != nil {
		return err
	}
	a.sgxQE, err = a.newQuotingEnclave(a.QEReport(), "sgx")
	return err
}

// ID is the id in the certificates' organisation.
func (a *Authority) ID() string { return a.id }

// Platform is the platform that the PCK certificate describes.
func (a *Authority) Platform() Platform { return a.platform }

// RootDER is the certificate to trust, DER.
func (a *Authority) RootDER() []byte { return a.Root.DER }

// PCKChainPEM is the chain that quotes carry: leaf, platform CA, root; without the NUL.
func (a *Authority) PCKChainPEM() []byte { return a.pckChainPEM[:len(a.pckChainPEM)-1] }
