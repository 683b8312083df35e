package verify

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Validate refuses a policy that does not say what it seems to say: a misspelt status, a hash of the wrong length,
// a waiver for a check that cannot be waived. The error names the field and what was expected.
func (p Policy) Validate() error {
	return errors.Join(
		oneOf("version", fmt.Sprint(p.Version), "0", "1"),
		eachOneOf("accept_status", p.AcceptStatus, statuses),
		eachOneOf("allow", p.Allow, allowances),
		oneOf("simulated", p.Simulated, "", "refuse", "allow"),
		oneOf("erasures", p.Erasures, "", "report", "refuse"),
		p.validateWaivers(), p.validateCode(), p.validateAgents(), p.validateCustody(), p.validateWitnesses(),
		notNegative("grace_days", p.GraceDays), notNegative("max_age.evidence_hours", p.MaxAge.Evidence),
		notNegative("max_age.checkpoint_hours", p.MaxAge.Checkpoint), notNegative("max_age.file_hours", p.MaxAge.File),
	)
}

func (p Policy) validateWaivers() error {
	ids, _ := Waivable()
	return eachOneOf("waive", p.Waive, ids)
}

func (p Policy) validateCode() error {
	var errs []error
	for i, c := range p.Code {
		at := fmt.Sprintf("code[%d] (%s)", i, c.Name)
		for _, v := range c.values() {
			errs = append(errs, eachHex(at+"."+v.name, v.want, v.size))
		}
		if !c.pinsCode() {
			errs = append(errs, fmt.Errorf("policy: %s pins no code: give app_compose_sha256, rtmr3, mrtd, mrenclave or mrsigner", at))
		}
		if !c.From.IsZero() && !c.Until.IsZero() && !c.From.Before(c.Until) {
			errs = append(errs, fmt.Errorf("policy: %s: from is not before until", at))
		}
		if c.MinISVSVN != 0 && len(c.MRSigner) == 0 && len(c.MREnclave) == 0 {
			errs = append(errs, fmt.Errorf("policy: %s: min_isvsvn means nothing without mrsigner", at))
		}
	}
	return errors.Join(errs...)
}

func (p Policy) validateAgents() error {
	var errs []error
	for i, a := range p.Agents {
		at := fmt.Sprintf("agent[%d]", i)
		if a.ID == "" {
			errs = append(errs, fmt.Errorf("policy: %s has no id", at))
		}
		errs = append(errs, eachHex(at+".character_sha256", a.Character, 32))
		if a.LogKey != "" {
			errs = append(errs, eachHex(at+".log_key", []string{a.LogKey}, 32))
		}
	}
	return errors.Join(errs...)
}

func (p Policy) validateCustody() error {
	var errs []error
	for _, v := range p.Custody.Accept {
		kind, rest, _ := strings.Cut(v, ":")
		switch kind {
		case "local-provider", "operator", "public-seed":
		case "kms", "mrsigner":
			if rest == "" {
				errs = append(errs, fmt.Errorf("policy: custody.accept: %q pins nothing: copy the whole value after the colon", v))
			}
		default:
			errs = append(errs, fmt.Errorf("policy: custody.accept: unknown value %q: want kms:…, mrsigner:…, local-provider, operator or public-seed", v))
		}
	}
	for _, v := range p.Custody.KMSRoots {
		if b, err := hex.DecodeString(v); err != nil || len(b) != 33 || b[0]&^1 != 2 {
			errs = append(errs, fmt.Errorf("policy: custody.kms_roots: %q is no compressed secp256k1 key: want 66 hex digits that begin with 02 or 03", v))
		}
	}
	return errors.Join(errs...)
}

func (p Policy) validateWitnesses() error {
	w := p.Witnesses
	if err := notNegative("witnesses.quorum", w.Quorum); err != nil {
		return err
	}
	if w.Quorum > len(w.Keys) {
		return fmt.Errorf("policy: witnesses.quorum is %d but only %d keys are named", w.Quorum, len(w.Keys))
	}
	if w.Quorum == 0 && len(w.Keys) > 0 {
		return errors.New("policy: witnesses.keys without witnesses.quorum: say how many must have signed")
	}
	seen := map[string]bool{}
	for _, k := range w.Keys {
		if seen[k] {
			return fmt.Errorf("policy: witness %q is named twice", k)
		}
		seen[k] = true
	}
	return nil
}

func oneOf(field, got string, want ...string) error {
	if slices.Contains(want, got) {
		return nil
	}
	return fmt.Errorf("policy: %s: %q is not known: want %s", field, got, strings.Join(slices.DeleteFunc(slices.Clone(want), func(s string) bool { return s == "" }), ", "))
}

func eachOneOf(field string, got, want []string) error {
	var errs []error
	for _, g := range got {
		errs = append(errs, oneOf(field, g, want...))
	}
	return errors.Join(errs...)
}

func eachHex(field string, got []string, size int) error {
	var errs []error
	for _, g := range got {
		if b, err := hex.DecodeString(g); err != nil || len(b) != size {
			errs = append(errs, fmt.Errorf("policy: %s: %q is not %d bytes in hex", field, g, size))
		}
	}
	return errors.Join(errs...)
}

func notNegative(field string, v int) error {
	if v < 0 {
		return fmt.Errorf("policy: %s is negative", field)
	}
	return nil
}
