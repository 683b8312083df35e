//go:build linux

package devattest_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/attest/sim/devattest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// play plays in a new directory, in the wanted way or not at all.
func play(t *testing.T, pipes bool) string {
	t.Helper()
	simulator, err := sim.New(sim.Options{})
	must(t, err)
	dir := filepath.Join(t.TempDir(), "attestation")
	p, err := devattest.Play(dir, devattest.Options{Enclave: simulator, Seed: []byte("seed"), Pipes: pipes})
	must(t, err)
	t.Cleanup(func() { must(t, p.Close()) })
	if !pipes && p.How != "FUSE" {
		t.Skip("no FUSE here (needs /dev/fuse and root): played by " + p.How)
	}
	return dir
}

// TestPluginSGX does what plugin-sgx's code does, step by step, with its rule that cuts after the last zero byte.
func TestPluginSGX(t *testing.T) {
	for name, pipes := range map[string]bool{"FUSE": false, "pipes": true} {
		t.Run(name, func(t *testing.T) {
			dir := play(t, pipes)
			for i := range 20 {
				info, err := os.ReadFile(filepath.Join(dir, "my_target_info"))
				must(t, err)
				if len(info) != 512 {
					t.Fatalf("my_target_info has %d bytes", len(info))
				}
				must(t, os.WriteFile(filepath.Join(dir, "target_info"), info, 0o600))
				data := bytes.Repeat([]byte{byte(i + 1)}, 32)
				must(t, os.WriteFile(filepath.Join(dir, "user_report_data"), data, 0o600))
				quote, err := os.ReadFile(filepath.Join(dir, "quote"))
				must(t, err)
				if cut := quote[:bytes.LastIndexByte(quote, 0)+1]; !bytes.Equal(cut, quote) {
					t.Fatalf("cut after the last zero byte the quote has %d of %d bytes", len(cut), len(quote))
				}
				if quote[0] != 3 || !bytes.Equal(quote[368:432], append(data, make([]byte, 32)...)) {
					t.Fatalf("version %d, report data %x", quote[0], quote[368:432])
				}
			}
		})
	}
}

func TestPlayedFiles(t *testing.T) {
	for name, pipes := range map[string]bool{"FUSE": false, "pipes": true} {
		t.Run(name, func(t *testing.T) {
			dir := play(t, pipes)
			kind, err := os.ReadFile(filepath.Join(dir, "attestation_type"))
			must(t, err)
			a, err := os.ReadFile(filepath.Join(dir, "keys", "_sgx_mrenclave"))
			must(t, err)
			b, err := os.ReadFile(filepath.Join(dir, "keys", "_sgx_mrsigner"))
			must(t, err)
			report, err := os.ReadFile(filepath.Join(dir, "report"))
			must(t, err)
			if string(kind) != "dcap" || len(a) != 16 || len(b) != 16 || bytes.Equal(a, b) || len(report) != 432 {
				t.Errorf("%q, keys %x %x, report of %d bytes", kind, a, b, len(report))
			}
		})
	}
}

func TestFuseRules(t *testing.T) {
	dir := play(t, false)
	if err := os.WriteFile(filepath.Join(dir, "user_report_data"), make([]byte, 65), 0o600); err == nil {
		t.Error("65 bytes of report data were accepted")
	}
	if err := os.WriteFile(filepath.Join(dir, "quote"), nil, 0o600); err == nil {
		t.Error("quote could be written")
	}
	if err := os.WriteFile(filepath.Join(dir, "new"), nil, 0o600); err == nil {
		t.Error("a new file could be made")
	}
	key := filepath.Join(dir, "keys", "mine")
	if err := os.WriteFile(key, make([]byte, 15), 0o600); err == nil {
		t.Error("a key of 15 bytes was accepted")
	}
	must(t, os.WriteFile(key, bytes.Repeat([]byte{7}, 16), 0o600))
	if got, err := os.ReadFile(key); err != nil || !bytes.Equal(got, bytes.Repeat([]byte{7}, 16)) {
		t.Errorf("%x %v", got, err)
	}
}

func TestNotOverSomethingElse(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "quote"), nil, 0o600))
	if _, err := devattest.Play(dir, devattest.Options{}); err == nil {
		t.Error("played over another directory's files")
	}
}

func TestADirectoryThatWasMadeGoesAgain(t *testing.T) {
	simulator, err := sim.New(sim.Options{})
	must(t, err)
	for name, pipes := range map[string]bool{"FUSE, where it can be mounted": false, "pipes": true} {
		for _, made := range []bool{true, false} {
			dir := filepath.Join(t.TempDir(), "attestation")
			if !made {
				must(t, os.Mkdir(dir, 0o755))
			}
			p, err := devattest.Play(dir, devattest.Options{Enclave: simulator, Seed: []byte("seed"), Pipes: pipes})
			must(t, err)
			must(t, p.Close())
			if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) != made {
				t.Errorf("%s: made by us %v, afterwards: %v", name, made, err)
			}
		}
	}
}
