// Package policyfile reads and writes a reader's policy as TOML (docs/formats/policy.md).
//
// The file is the reader's own word and the only thing here that is trusted. It is read strictly: an unknown key, a
// misspelt status or a hash of the wrong length refuses the whole file, because a policy that says less than its
// author thinks is worse than none.
package policyfile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/teapot-tee/teapot/internal/stricttoml"
	"github.com/teapot-tee/teapot/verify"
)

// maxSize of a policy or of an app-compose file it names, in bytes.
const maxSize = 1 << 20

// Load reads the policy at path; app_compose_file is looked up beside it and becomes app_compose_sha256.
func Load(path string) (verify.Policy, error) {
	text, err := readBounded(path)
	if err != nil {
		return verify.Policy{}, fmt.Errorf("reading policy: %w", err)
	}
	p, err := parse(text, func(name string) ([]byte, error) { return readBounded(beside(path, name)) })
	if err != nil {
		return verify.Policy{}, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// Parse reads a policy that names no other file.
func Parse(text []byte) (verify.Policy, error) {
	return parse(text, func(name string) ([]byte, error) {
		return nil, fmt.Errorf("policy: app_compose_file %q: this policy has no place on disk: give app_compose_sha256", name)
	})
}

func parse(text []byte, read func(string) ([]byte, error)) (verify.Policy, error) {
	var p verify.Policy
	if err := strict(text, &p); err != nil {
		return verify.Policy{}, err
	}
	for i := range p.Code {
		if err := hashCompose(&p.Code[i], read); err != nil {
			return verify.Policy{}, err
		}
	}
	return p, p.Validate()
}

func strict(text []byte, p *verify.Policy) error {
	dec := toml.NewDecoder(strings.NewReader(string(text)))
	dec.DisallowUnknownFields()
	err := dec.Decode(p)
	var unknown *toml.StrictMissingError
	var malformed *toml.DecodeError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("policy: unknown key:\n%s", unknown.String())
	case errors.As(err, &malformed):
		return fmt.Errorf("policy: not TOML as expected:\n%s", malformed.String())
	case err != nil:
		return fmt.Errorf("policy: %w", err)
	}
	if err := stricttoml.Keys(text); err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	return nil
}

func hashCompose(c *verify.Code, read func(string) ([]byte, error)) error {
	if c.AppComposeFile == "" {
		return nil
	}
	text, err := read(c.AppComposeFile)
	if err != nil {
		return fmt.Errorf("policy: app_compose_file: %w", err)
	}
	sum := sha256.Sum256(text)
	c.AppCompose = append(c.AppCompose, hex.EncodeToString(sum[:]))
	c.AppComposeFile = ""
	return nil
}

func beside(policy, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(policy), name)
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSize || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: want a regular file of at most %d bytes", path, maxSize)
	}
	return os.ReadFile(path)
}
