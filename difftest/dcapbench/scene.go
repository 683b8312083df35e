package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap"
)

// sample is a quote that verifies UpToDate with its collateral.
type sample struct {
	quote, collateral []byte
	options           dcap.Options
}

func (s *sample) parse() *dcap.Collateral {
	c, err := dcap.ParseCollateral(s.collateral)
	must(err)
	return c
}

func (s *sample) verify(v *dcap.Verifier, quote []byte, c *dcap.Collateral) {
	r, err := v.Verify(quote, c, s.options)
	must(err)
	if r.Status != dcap.UpToDate {
		panic("internal: bench quote is " + r.Status.String() + " " + string(r.Class))
	}
}

// scene has what the rows measure: Intel's own quote and collateral for cold and known key (the simulator's without
// the corpus), and simulated platforms and attestation keys in numbers, each seen once.
type scene struct {
	real, sim      *sample
	realCollateral *dcap.Collateral
	simCollateral  *dcap.Collateral
	known, warm    dcap.Verifier
	platforms      [][]byte // quotes from different platforms under one CA
	keys           [][]byte // quotes from one platform with different attestation keys
}

var now = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

func newScene() (*scene, error) {
	a, err := pki.New(pki.Options{Seed: bytes.Repeat([]byte{1}, 32), Now: now})
	if err != nil {
		return nil, err
	}
	s := &scene{sim: &sample{options: dcap.Options{Root: a.RootDER(), At: now}}}
	if s.sim.quote, err = a.QuoteTDX(pki.TDReport{}); err != nil {
		return nil, err
	}
	if s.sim.collateral, err = a.Collateral(pki.TDX, now); err != nil {
		return nil, err
	}
	if s.real, err = realSample(); err != nil {
		return nil, err
	}
	if s.real == nil {
		fmt.Fprintln(os.Stderr, "dcapbench: no corpus (TEAPOT_SHARED): cold and known key are measured with simulated collateral")
		s.real = s.sim
	}
	s.realCollateral, s.simCollateral = s.real.parse(), s.sim.parse()
	s.sim.verify(&s.warm, s.sim.quote, s.simCollateral)
	s.real.verify(&s.known, s.real.quote, s.realCollateral)
	return s, s.mint(a)
}

// mint makes quotes of platforms and attestation keys that no verifier has seen.
func (s *scene) mint(a *pki.Authority) error {
	for i := range rounds * 160 {
		qe, err := pki.NewQE(a.PCK.Key, pki.RandomKey(), a.TDQEReport(), []byte{byte(i)})
		if err != nil {
			return err
		}
		if err := s.add(&s.keys, a, pki.Spec{QE: qe}); err != nil {
			return err
		}
		spec := a.PCKSpec()
		spec.Key = pki.RandomKey()
		leaf, err := pki.Mint(spec)
		if err != nil {
			return err
		}
		if qe, err = pki.NewQE(leaf.Key, pki.RandomKey(), a.TDQEReport(), []byte{byte(i)}); err != nil {
			return err
		}
		if err := s.add(&s.platforms, a, pki.Spec{QE: qe, CertData: pki.ChainPEM(leaf, a.PlatformCA, a.Root)}); err != nil {
			return err
		}
	}
	return nil
}

func (s *scene) add(to *[][]byte, a *pki.Authority, spec pki.Spec) error {
	spec.Version, spec.TEE, spec.Body = 4, pki.TDX, pki.TDReport{}.Bytes10()
	q, err := a.Quote(spec)
	*to = append(*to, q)
	return err
}

func (s *scene) cold() {
	var v dcap.Verifier
	s.real.verify(&v, s.real.quote, s.real.parse())
}

func (s *scene) newPlatform() { s.next(&s.platforms) }

func (s *scene) knownPlatform() { s.next(&s.keys) }

// next verifies a quote that was never seen.
func (s *scene) next(from *[][]byte) {
	q := (*from)[0]
	*from = (*from)[1:]
	s.sim.verify(&s.warm, q, s.simCollateral)
}

func (s *scene) knownKey() { s.real.verify(&s.known, s.real.quote, s.realCollateral) }

// realSample is a TDX version 4 quote that Intel calls UpToDate; nil without the corpus.
func realSample() (*sample, error) {
	dir := os.Getenv("TEAPOT_SHARED")
	if dir == "" {
		dir = "../../shared"
	}
	dir = filepath.Join(dir, "corpus", "dcap")
	raw, err := os.ReadFile(filepath.Join(dir, "real.json"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	var cases []struct {
		Tee, Dir string
		Version  int
		Now      int64
		Intel    string `json:"intel_qvl"`
	}
	if err == nil {
		err = json.Unmarshal(raw, &cases)
	}
	if err != nil {
		return nil, err
	}
	for _, c := range cases {
		if c.Tee != "TDX" || c.Version != 4 || c.Intel != "OK" {
			continue
		}
		s := &sample{options: dcap.Options{At: time.Unix(c.Now, 0)}}
		if s.quote, err = os.ReadFile(filepath.Join(dir, c.Dir, "quote.bin")); err != nil {
			return nil, err
		}
		s.collateral, err = os.ReadFile(filepath.Join(dir, c.Dir, "collateral.json"))
		return s, err
	}
	return nil, fmt.Errorf("no UpToDate TDX case in %s", dir)
}
