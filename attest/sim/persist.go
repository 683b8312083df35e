package sim

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim/pki"
)

// FileName is the simulator's file in a data directory: its root's seed, the keys' seed, the instance. Secret, mode 0600.
const FileName = "simulator.json"

const fileType = "teapot/simulator/v1"

type file struct {
	Type     string          `json:"type"`
	Warning  string          `json:"warning"`
	Seed     []byte          `json:"seed"`     // of the keys, 32 bytes
	Instance []byte          `json:"instance"` // seed of the instance id, 20 bytes
	PKI      json.RawMessage `json:"pki"`
}

type kept struct {
	authority      *pki.Authority
	seed, instance []byte
}

// load reads the simulator of a directory, or makes one and keeps it.
func load(dir string, clock attest.Clock) (kept, error) {
	if dir == "" {
		k, _, err := create(clock)
		return k, err
	}
	path := filepath.Join(dir, FileName)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return createIn(path, clock)
	}
	if err != nil {
		return kept{}, err
	}
	k, err := parse(raw)
	if err != nil {
		return kept{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return k, nil
}

func createIn(path string, clock attest.Clock) (kept, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return kept{}, err
	}
	k, raw, err := create(clock)
	if err != nil {
		return kept{}, err
	}
	if err := attest.WriteFile(path, raw); err != nil {
		return kept{}, fmt.Errorf("keeping the simulator's root and seed: %w", err)
	}
	return k, nil
}

func create(clock attest.Clock) (kept, []byte, error) {
	random := make([]byte, 52)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	a, err := pki.New(pki.Options{Now: clock()})
	if err != nil {
		return kept{}, nil, err
	}
	root, err := a.Marshal()
	if err != nil {
		return kept{}, nil, err
	}
	k := kept{authority: a, seed: random[:32], instance: random[32:]}
	raw, err := json.MarshalIndent(file{fileType, "simulated: whoever reads this file has all keys", k.seed, k.instance, root}, "", " ")
	if err != nil {
		return kept{}, nil, fmt.Errorf("writing the simulator's file: %w", err)
	}
	return k, append(raw, '\n'), nil
}

func parse(raw []byte) (kept, error) {
	var f file
	if err := json.Unmarshal(raw, &f); err != nil {
		return kept{}, err
	}
	if f.Type != fileType || len(f.Seed) != 32 || len(f.Instance) != 20 {
		return kept{}, fmt.Errorf("not a %s document", fileType)
	}
	a, err := pki.Load(f.PKI)
	if err != nil {
		return kept{}, err
	}
	return kept{authority: a, seed: f.Seed, instance: f.Instance}, nil
}
