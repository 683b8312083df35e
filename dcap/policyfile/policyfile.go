// Package policyfile reads the TOML form of dcap.Policy (docs/formats/dcap-policy.md). It does no I/O and is kept out
// of package dcap so that the page's WASM carries no TOML.
package policyfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/teapot-tee/teapot/dcap"
)

// File is the policy as written. Larger policies embed it; its zero value is the strict policy.
type File struct {
	AcceptStatus     []string `toml:"accept_status"`     // besides UpToDate, in Intel's spelling
	AcceptAdvisories []string `toml:"accept_advisories"` // when present: every advisory that may be left open
	GraceDays        int      `toml:"grace_days"`        // accept OutOfDate so long after the TCB date
	Allow            []string `toml:"allow"`             // attributes that weaken the TEE
	MinEvaluation    uint64   `toml:"min_tcb_evaluation_data_number"`
}

// Parse reads a policy file; unknown keys are refused.
func Parse(text []byte) (dcap.Policy, error) {
	var f File
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		var unknown *toml.StrictMissingError
		if errors.As(err, &unknown) {
			return dcap.Policy{}, fmt.Errorf("policy: unknown key:\n%s", unknown.String())
		}
		return dcap.Policy{}, fmt.Errorf("policy: %w", err)
	}
	return f.Policy()
}

// Policy turns the words into values; an unknown word is an error that lists the known ones.
func (f File) Policy() (dcap.Policy, error) {
	p := dcap.Policy{AcceptAdvisories: f.AcceptAdvisories, GraceDays: f.GraceDays, MinEvaluation: f.MinEvaluation}
	for _, word := range f.AcceptStatus {
		s, ok := dcap.ParseStatus(word)
		switch {
		case !ok:
			return dcap.Policy{}, fmt.Errorf("policy: accept_status: %q is not a TCB status (Intel's spelling, like %q)", word, dcap.SWHardeningNeeded)
		case s == dcap.Revoked:
			return dcap.Policy{}, errors.New("policy: accept_status: Revoked is never acceptable")
		}
		p.AcceptStatus = append(p.AcceptStatus, s)
	}
	for _, word := range f.Allow {
		a, ok := dcap.ParseAllow(word)
		if !ok {
			return dcap.Policy{}, fmt.Errorf("policy: allow: %q is unknown; known are %s", word, strings.Join(dcap.AllowNames(), ", "))
		}
		p.Allow |= a
	}
	if f.GraceDays < 0 || f.GraceDays > 36500 {
		return dcap.Policy{}, fmt.Errorf("policy: grace_days: %d is not from 0 to 36500", f.GraceDays)
	}
	return p, nil
}
