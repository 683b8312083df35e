//go:build linux

package gramine_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/teapot-tee/teapot/attest/gramine"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/attest/sim/devattest"
	"github.com/teapot-tee/teapot/evidence"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// play plays /dev/attestation, by FUSE where there is one, else with pipes.
func play(t *testing.T, pipes bool) string {
	t.Helper()
	simulator, err := sim.New(sim.Options{})
	must(t, err)
	dir := filepath.Join(t.TempDir(), "attestation")
	p, err := devattest.Play(dir, devattest.Options{Enclave: simulator, Seed: []byte("seed"), Pipes: pipes})
	must(t, err)
	t.Cleanup(func() { must(t, p.Close()) })
	return dir
}

// TestFourHundredAtOnce: none of 400 concurrent quotes carries another's data (115 of plugin-sgx's do).
func TestFourHundredAtOnce(t *testing.T) {
	for name, v := range map[string]struct {
		pipes bool
		n     int
	}{"FUSE or pipes": {false, 400}, "pipes": {true, 40}} { // through pipes a quote takes 5 ms
		t.Run(name, func(t *testing.T) {
			e, err := gramine.Open(t.Context(), gramine.Options{Dir: play(t, v.pipes)})
			must(t, err)
			var wg sync.WaitGroup
			for i := range v.n {
				wg.Go(func() {
					want := [64]byte{byte(i), byte(i >> 8), 1, 63: 2}
					q, err := e.Quote(t.Context(), want)
					if err != nil {
						t.Error(err)
						return
					}
					size := 436 + int(binary.LittleEndian.Uint32(q.Raw[432:]))
					if [64]byte(q.Raw[368:432]) != want || len(q.Raw) != size {
						t.Errorf("quote %d carries %x, %d bytes of %d", i, q.Raw[368:376], len(q.Raw), size)
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestKeysAndInfo(t *testing.T) {
	dir := play(t, false)
	e, err := gramine.Open(t.Context(), gramine.Options{Dir: dir})
	must(t, err)
	a, err := e.Key(t.Context(), "teapot/log/x")
	must(t, err)
	b, err := e.Key(t.Context(), "teapot/log/y")
	must(t, err)
	if a.Secret == b.Secret || e.Custody() != evidence.MRENCLAVE || e.Derivation() != gramine.DerivationSealing || e.Platform() != "gramine-sgx" {
		t.Errorf("custody %s, derivation %s", e.Custody(), e.Derivation())
	}
	info, err := e.Info(t.Context())
	must(t, err)
	if len(info.Measurements.MRENCLAVE) != 64 || len(info.Measurements.MRSIGNER) != 64 || len(info.Unmeasured) == 0 {
		t.Errorf("info %+v", info)
	}
	measured, err := gramine.Open(t.Context(), gramine.Options{Dir: dir, HostEnvironment: []string{"TEAPOT_TOKEN"}})
	must(t, err)
	info, err = measured.Info(t.Context())
	must(t, err)
	if len(info.Unmeasured) != 2 || info.Unmeasured[1].Name != "environment variable TEAPOT_TOKEN" {
		t.Errorf("unmeasured %+v", info.Unmeasured)
	}
	rooted, err := gramine.Open(t.Context(), gramine.Options{Dir: dir, Root: func(keys []gramine.SealingKey) ([]byte, evidence.Custody, error) {
		if len(keys) != 2 || keys[0].Name != "_sgx_mrenclave" {
			t.Errorf("sealing keys %+v", keys)
		}
		return make([]byte, 32), evidence.Operator, nil
	}})
	must(t, err)
	c, err := rooted.Key(t.Context(), "teapot/log/x")
	must(t, err)
	if c.Secret == a.Secret || rooted.Custody() != evidence.Operator || rooted.Derivation() != gramine.DerivationRoot {
		t.Error("the root was not used")
	}
	wrong := errors.New("no slot opens")
	_, err = gramine.Open(t.Context(), gramine.Options{Dir: dir, Root: func([]gramine.SealingKey) ([]byte, evidence.Custody, error) { return nil, "", wrong }})
	if !errors.Is(err, wrong) {
		t.Error(err)
	}
}

// TestWhatIsNoEnclave: gramine-direct says so; other places are told apart.
func TestWhatIsNoEnclave(t *testing.T) {
	write := func(files map[string]string) string {
		dir := t.TempDir()
		must(t, os.Mkdir(filepath.Join(dir, "keys"), 0o700))
		for name, content := range files {
			must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
		}
		return dir
	}
	if _, err := gramine.Open(t.Context(), gramine.Options{Dir: write(nil)}); !errors.Is(err, gramine.ErrDirect) || !strings.Contains(err.Error(), "no TEE") {
		t.Errorf("gramine-direct: %v", err)
	}
	for want, dir := range map[string]string{
		"not a Gramine enclave": t.TempDir(),
		"remote_attestation":    write(map[string]string{"attestation_type": "none"}),
		"want dcap":             write(map[string]string{"attestation_type": "epid"}),
		"sealing key":           write(map[string]string{"attestation_type": "dcap"}),
		"want 16":               write(map[string]string{"attestation_type": "dcap", "keys/_sgx_mrenclave": "short"}),
	} {
		if _, err := gramine.Open(t.Context(), gramine.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestQuoteErrors: plain files instead of pseudo-files give quotes that are wrong in one way each.
func TestQuoteErrors(t *testing.T) {
	good := make([]byte, 500)
	good[0] = 3
	binary.LittleEndian.PutUint32(good[432:], 64)
	foreign := append([]byte{}, good...)
	foreign[368] = 9
	long := append([]byte{}, good...)
	binary.LittleEndian.PutUint32(long[432:], 65)
	huge := append([]byte{}, good...)
	binary.LittleEndian.PutUint32(huge[432:], 0xffffffff)
	for name, v := range map[string]struct {
		quote []byte
		want  string
	}{
		"good":            {good, ""},
		"padded":          {append(append([]byte{}, good...), 0, 0, 0), ""},
		"trailing":        {append(append([]byte{}, good...), 0, 1), "after the quote"},
		"empty":           {nil, "too short"},
		"cut at a zero":   {good[:433], "too short"},
		"says more":       {long, "says that it has"},
		"says 4 GiB":      {huge, "says that it has"},
		"someone else's":  {foreign, "other report data"},
		"no quote at all": {nil, "no such file"},
	} {
		dir := t.TempDir()
		must(t, os.Mkdir(filepath.Join(dir, "keys"), 0o700))
		files := map[string][]byte{
			"attestation_type": []byte("dcap"), "user_report_data": nil, "quote": v.quote,
			"keys/_sgx_mrenclave": make([]byte, 16), "keys/_sgx_mrsigner": make([]byte, 16),
		}
		for file, content := range files {
			must(t, os.WriteFile(filepath.Join(dir, file), content, 0o600))
		}
		if name == "no quote at all" {
			must(t, os.Remove(filepath.Join(dir, "quote")))
		}
		e, err := gramine.Open(t.Context(), gramine.Options{Dir: dir})
		must(t, err)
		q, err := e.Quote(t.Context(), [64]byte{})
		if v.want == "" && (err != nil || len(q.Raw) != 500) || v.want != "" && (err == nil || !strings.Contains(err.Error(), v.want)) {
			t.Errorf("%s: %d bytes, %v; want %q", name, len(q.Raw), err, v.want)
		}
	}
	e, err := gramine.Open(t.Context(), gramine.Options{Dir: play(t, true)})
	must(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Quote(ended, [64]byte{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
