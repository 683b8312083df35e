package detect

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim"
)

func envOf(set map[string]string) func(string) string {
	return func(k string) string { return set[k] }
}

func TestSimulatorWhereNothingElseIs(t *testing.T) {
	a, found, err := Detect(t.Context(), Environment{Getenv: envOf(nil), Root: t.TempDir(), Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if a.Platform() != "simulator" || !found.Simulated || len(found.Looked) == 0 || found.Why == "" {
		t.Errorf("found %+v", found)
	}
}

func TestContradictionsAreErrors(t *testing.T) {
	for name, set := range map[string]map[string]string{
		"unknown TEE_MODE":                  {"TEE_MODE": "MAYBE"},
		"unknown SGX":                       {"SGX": "maybe"},
		"unknown TEAPOT_PLATFORM":           {"TEAPOT_PLATFORM": "hardware"},
		"SGX and TDX":                       {"SGX": "1", "TEE_MODE": "PRODUCTION"},
		"SGX and LOCAL":                     {"SGX": "true", "TEE_MODE": "LOCAL"},
		"SGX and a dstack simulator":        {"SGX": "1", "DSTACK_SIMULATOR_ENDPOINT": "http://localhost:1"},
		"SGX and OFF":                       {"SGX": "1", "TEE_MODE": "OFF"},
		"PRODUCTION and a simulator":        {"TEE_MODE": "PRODUCTION", "DSTACK_SIMULATOR_ENDPOINT": "x.sock"},
		"PRODUCTION and a tappd simulator":  {"TEE_MODE": "PRODUCTION", "TAPPD_SIMULATOR_ENDPOINT": "x.sock"},
		"OFF and a simulator":               {"TEE_MODE": "OFF", "DSTACK_SIMULATOR_ENDPOINT": "x.sock"},
		"hardware and LOCAL":                {"TEAPOT_PLATFORM": "require-hardware", "TEE_MODE": "LOCAL"},
		"hardware and OFF":                  {"TEAPOT_PLATFORM": "require-hardware", "TEE_MODE": "OFF"},
		"hardware and a simulator endpoint": {"TEAPOT_PLATFORM": "require-hardware", "TAPPD_SIMULATOR_ENDPOINT": "x"},
		"simulator and PRODUCTION":          {"TEAPOT_PLATFORM": "simulator", "TEE_MODE": "PRODUCTION"},
		"simulator and SGX":                 {"TEAPOT_PLATFORM": "simulator", "SGX": "1"},
		"tdx and LOCAL":                     {"TEAPOT_PLATFORM": "tdx", "TEE_MODE": "LOCAL"},
		"dstack and OFF":                    {"TEAPOT_PLATFORM": "dstack-tdx", "TEE_MODE": "OFF"},
		"PRODUCTION without a socket":       {"TEE_MODE": "PRODUCTION"},
		"dstack-tdx without a socket":       {"TEAPOT_PLATFORM": "dstack-tdx"},
		"hardware where there is none":      {"TEAPOT_PLATFORM": "require-hardware"},
		"SGX where there is none":           {"SGX": "1"},
		"tdx where there is none":           {"TEAPOT_PLATFORM": "tdx"},
	} {
		a, _, err := Detect(t.Context(), Environment{Getenv: envOf(set), Root: t.TempDir(), Dir: t.TempDir()})
		if err == nil {
			t.Errorf("%s: opened %s", name, a.Platform())
		}
	}
}

func TestSettingsChooseTheEndpoint(t *testing.T) {
	for name, c := range map[string]struct {
		set                map[string]string
		platform, endpoint string
	}{
		"LOCAL":           {map[string]string{"TEE_MODE": "LOCAL"}, "dstack-tdx", "http://localhost:8090"},
		"lower case":      {map[string]string{"TEE_MODE": "local"}, "dstack-tdx", "http://localhost:8090"},
		"DOCKER":          {map[string]string{"TEE_MODE": "DOCKER"}, "dstack-tdx", "http://host.docker.internal:8090"},
		"endpoint wins":   {map[string]string{"TEE_MODE": "LOCAL", "DSTACK_SIMULATOR_ENDPOINT": "http://127.0.0.1:1"}, "dstack-tdx", "http://127.0.0.1:1"},
		"guest agent's":   {map[string]string{"DSTACK_SIMULATOR_ENDPOINT": "d", "TAPPD_SIMULATOR_ENDPOINT": "t"}, "dstack-tdx", "d"},
		"tappd's":         {map[string]string{"TAPPD_SIMULATOR_ENDPOINT": "t"}, "dstack-tdx", "t"},
		"OFF":             {map[string]string{"TEE_MODE": "OFF"}, "simulator", ""},
		"named simulator": {map[string]string{"TEAPOT_PLATFORM": "simulator"}, "simulator", ""},
		"SGX false":       {map[string]string{"SGX": "false"}, "simulator", ""},
	} {
		set, err := readSettings(envOf(c.set))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := chooseBy(Environment{Root: t.TempDir()}, set)
		if err != nil || got.Platform != c.platform || got.Endpoint != c.endpoint {
			t.Errorf("%s: %s at %q (%v), want %s at %q", name, got.Platform, got.Endpoint, err, c.platform, c.endpoint)
		}
	}
}

func TestDirectoryRemembersTheRoot(t *testing.T) {
	dir := t.TempDir()
	env := Environment{Getenv: envOf(nil), Root: t.TempDir(), Dir: dir}
	if _, _, err := Detect(t.Context(), env); err != nil {
		t.Fatal(err)
	}
	r, _, err := attest.ReadRecord(dir)
	if err != nil || len(r.Root) != 64 {
		t.Fatalf("record %+v, %v", r, err)
	}
	if err := os.Remove(filepath.Join(dir, "simulator.json")); err != nil {
		t.Fatal(err)
	}
	_, _, err = Detect(t.Context(), env)
	var foreign *attest.ForeignDataError
	if !errors.As(err, &foreign) || foreign.Root == "" || foreign.Root == r.Root {
		t.Errorf("another simulator in the same directory: %v", err)
	}
}

func TestRootOfTheSimulatorIsNotIntels(t *testing.T) {
	s, err := sim.New(sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	root, genuine, err := rootOf(t.Context(), s, time.Now())
	if err != nil || genuine || root != sha256.Sum256(s.RootDER()) {
		t.Errorf("root %x, genuine %v, %v", root, genuine, err)
	}
}

func touch(t *testing.T, root, path string) {
	t.Helper()
	full := filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestProbeOrder(t *testing.T) {
	root := t.TempDir()
	for _, step := range []struct{ path, want string }{
		{"/sys/kernel/config/tsm/report/x", "tdx"},
		{"/dev/attestation/attestation_type", "gramine-sgx"},
		{"/var/run/tappd.sock", "dstack-tdx"},
		{"/var/run/dstack.sock", "dstack-tdx"},
	} {
		touch(t, root, step.path)
		got, err := probe(Environment{Root: root})
		if err != nil || got.Platform != step.want {
			t.Errorf("with %s: %s (%v), want %s", step.path, got.Platform, err, step.want)
		}
	}
	got, _ := probe(Environment{Root: root})
	if !strings.HasSuffix(got.Endpoint, "/var/run/dstack.sock") {
		t.Errorf("the guest agent's socket comes first, got %s", got.Endpoint)
	}
}

func TestGramineDirectIsNoTEE(t *testing.T) {
	root := t.TempDir()
	touch(t, root, "/dev/attestation/keys/default")
	got, err := probe(Environment{Root: root})
	if err != nil || !got.Simulated || !strings.Contains(strings.Join(got.Looked, "\n"), "gramine-direct") {
		t.Errorf("%+v, %v", got.Finding, err)
	}
}

// What looks like a platform and does not work is an error, never a simulation.
func TestNoFallBackFromABrokenPlatform(t *testing.T) {
	for _, path := range []string{"/var/run/dstack.sock", "/var/run/tappd.sock/x", "/dev/attestation/attestation_type", "/sys/kernel/config/tsm/report/x"} {
		root, dir := t.TempDir(), t.TempDir()
		touch(t, root, path)
		a, found, err := Detect(t.Context(), Environment{Getenv: envOf(nil), Root: root, Dir: dir})
		if err == nil {
			t.Errorf("%s: opened %s (%s)", path, a.Platform(), found.Why)
		}
		if _, ok, _ := attest.ReadRecord(dir); ok {
			t.Errorf("%s: a platform that did not open claimed the directory", path)
		}
	}
}

func TestDataDirectoryRemembersItsPlatform(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	env := Environment{Getenv: envOf(nil), Root: root, Dir: dir}
	if _, _, err := Detect(t.Context(), env); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Detect(t.Context(), env); err != nil {
		t.Fatalf("the same platform again: %v", err)
	}
	touch(t, root, "/var/run/dstack.sock")
	_, _, err := Detect(t.Context(), env)
	var foreign *attest.ForeignDataError
	if !errors.As(err, &foreign) || foreign.Recorded.Platform != "simulator" || foreign.Platform != "dstack-tdx" {
		t.Fatalf("error %v", err)
	}
}

func TestMissingSocketIsNotASimulation(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	record := `{"type":"teapot/platform/v1","platform":"dstack-tdx","derivation":"x"}`
	if err := os.WriteFile(filepath.Join(dir, attest.RecordName), []byte(record), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := Detect(t.Context(), Environment{Getenv: envOf(nil), Root: root, Dir: dir})
	var foreign *attest.ForeignDataError
	if !errors.As(err, &foreign) || foreign.Platform != "simulator" {
		t.Fatalf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "simulator.json")); err == nil {
		t.Error("a simulator was made in a real platform's directory")
	}
}

func TestAnotherDerivationIsRefused(t *testing.T) {
	dir := t.TempDir()
	record := `{"type":"teapot/platform/v1","platform":"simulator","derivation":"older"}`
	if err := os.WriteFile(filepath.Join(dir, attest.RecordName), []byte(record), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := Detect(t.Context(), Environment{Getenv: envOf(nil), Root: t.TempDir(), Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "older") {
		t.Fatalf("error %v", err)
	}
	for name, bad := range map[string]string{"no JSON": "x", "other type": `{"type":"y","platform":"simulator","derivation":"d"}`} {
		if err := os.WriteFile(filepath.Join(dir, attest.RecordName), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Detect(t.Context(), Environment{Getenv: envOf(nil), Root: t.TempDir(), Dir: dir}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestElizasSalt(t *testing.T) {
	set := map[string]string{"TEE_MODE": "OFF", "WALLET_SECRET_SALT": "salt"}
	_, found, err := Detect(t.Context(), Environment{Getenv: envOf(set), Root: t.TempDir()})
	if err != nil || found.Salt != "salt" {
		t.Errorf("%+v, %v", found, err)
	}
	s, _ := readSettings(envOf(map[string]string{"TEE_MODE": "LOCAL"}))
	if len(s.warnings()) == 0 {
		t.Error("TEE_MODE without a salt deserves a warning")
	}
}

// canned answers every request with one quote.
type canned struct {
	attest.Attester
	quote []byte
}

func (c canned) Quote(context.Context, [64]byte) (attest.Quote, error) {
	return attest.Quote{Raw: c.quote}, nil
}

func TestRootOfRealQuotesIsIntels(t *testing.T) {
	dir := os.Getenv("TEAPOT_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	files, err := filepath.Glob(filepath.Join(dir, "corpus", "dcap", "real", "*", "quote.bin"))
	if err != nil || len(files) == 0 {
		t.Skip("no shared corpus")
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, genuine, err := rootOf(t.Context(), canned{quote: raw}, time.Now()); err != nil || !genuine {
			t.Errorf("%s: genuine %v, %v", file, genuine, err)
		}
		raw[600] ^= 1
		if _, _, err := rootOf(t.Context(), canned{quote: raw}, time.Now()); err == nil {
			t.Errorf("%s: a changed quote counts", file)
		}
	}
}
