package detect

import (
	"path/filepath"
	"testing"

	"github.com/teapot-tee/teapot/attest/gramine"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/attest/sim/devattest"
	"github.com/teapot-tee/teapot/evidence"
)

// playedEnclave plays /dev/attestation below root.
func playedEnclave(t *testing.T, root string) {
	t.Helper()
	s, err := sim.New(sim.Options{SGX: true})
	if err != nil {
		t.Fatal(err)
	}
	played, err := devattest.Play(filepath.Join(root, attestationDir), devattest.Options{Enclave: s, Seed: []byte("0123456789abcdef")})
	if err != nil {
		t.Skipf("cannot play /dev/attestation here: %v", err)
	}
	t.Cleanup(func() {
		if err := played.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestEnclaveIsFoundAndOpened(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	playedEnclave(t, root)
	for _, set := range []map[string]string{nil, {"SGX": "1"}, {"TEAPOT_PLATFORM": "gramine-sgx"}} {
		a, found, err := Detect(t.Context(), Environment{Getenv: envOf(set), Root: root, Dir: dir})
		if err != nil {
			t.Fatalf("%v: %v", set, err)
		}
		if a.Platform() != "gramine-sgx" || !found.Simulated || a.Custody() != evidence.MRENCLAVE {
			t.Errorf("%v: %+v, custody %s", set, found, a.Custody())
		}
	}
	if _, _, err := Detect(t.Context(), Environment{Getenv: envOf(map[string]string{"SGX": "1", "TEAPOT_PLATFORM": "require-hardware"}), Root: root}); err == nil {
		t.Error("require-hardware took a played enclave")
	}
}

func TestEnclaveTakesItsRootFromOutside(t *testing.T) {
	root := t.TempDir()
	playedEnclave(t, root)
	var seen int
	give := func(keys []gramine.SealingKey) ([]byte, evidence.Custody, error) {
		seen = len(keys)
		return make([]byte, 32), evidence.Operator, nil
	}
	a, _, err := Detect(t.Context(), Environment{Getenv: envOf(nil), Root: root, GramineRoot: give})
	if err != nil || a.Custody() != evidence.Operator || seen == 0 {
		t.Fatalf("custody %v, %d sealing keys, %v", a, seen, err)
	}
}
