package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/server/access"
)

// readConfig returns the exact configuration bytes and what of them no measurement covers.
func (f *processFlags) readConfig() ([]byte, []evidence.Unmeasured, error) {
	if f.config == "" {
		return nil, nil, nil
	}
	return f.readPinned(f.config, "configuration")
}

// readPinned reads a file. With --pin given, it must be one of the pinned; otherwise it is listed as unmeasured.
func (f *processFlags) readPinned(path, what string) ([]byte, []evidence.Unmeasured, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	sum := sha256.Sum256(raw)
	digest := hex.EncodeToString(sum[:])
	switch {
	case slices.Contains(f.pins, digest):
		return raw, nil, nil
	case len(f.pins) > 0:
		return nil, nil, fmt.Errorf("%s %s has SHA-256 %s, which is not among --pin: somebody changed it, or the pin is old", what, path, digest)
	}
	return raw, []evidence.Unmeasured{{Name: what + " " + filepath.Base(path), Detail: "read from a file the host can choose; SHA-256 " + digest}}, nil
}

// makeToken takes the operator's token from TEAPOT_TOKEN or makes one and keeps it in the data directory.
func (r *running) makeToken() error {
	if r.token = os.Getenv("TEAPOT_TOKEN"); r.token != "" {
		r.tokenFrom = "as TEAPOT_TOKEN says"
		return nil
	}
	path := filepath.Join(r.flags.data, "token")
	r.tokenFrom = "in " + path
	raw, err := os.ReadFile(path)
	if err == nil && len(raw) >= 32 {
		r.token = string(raw)
		return nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	r.token = access.Generate()
	return attest.WriteFile(path, []byte(r.token))
}
