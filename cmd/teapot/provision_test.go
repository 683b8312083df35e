package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/attest/gramine"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/attest/sim/devattest"
	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/boot/envelope"
	"github.com/teapot-tee/teapot/boot/operator"
	"github.com/teapot-tee/teapot/boot/sgx"
	manifest "github.com/teapot-tee/teapot/deploy/gramine"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys"
	"github.com/teapot-tee/teapot/verify"
)

const provisionAgent = "25c1e1b0-4f3c-0b6e-9d59-2b6f7f8a9c10"

// sgxHost is a host with an emulated enclave, and the operator's machine beside it.
type sgxHost struct {
	t       *testing.T
	dir     string
	sim     *sim.Simulator
	played  *devattest.Played
	options sgx.Options
}

func newSGXHost(t *testing.T) *sgxHost {
	t.Helper()
	s, err := sim.New(sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := &sgxHost{t: t, dir: t.TempDir(), sim: s}
	h.options = sgx.Options{
		Attestation: h.path("attestation"), Manifest: h.path("manifest.toml"), Envelope: h.path("envelope"), Recovery: h.path("operator.key.pub"),
		Software: evidence.Software{Name: "teapot", Version: "test"},
	}
	text, err := manifest.Render(manifest.Options{Binary: "/opt/teapot", Manifest: "/opt/manifest.toml", Data: "/var/data", Envelope: "/var/envelope"})
	if err != nil {
		t.Fatal(err)
	}
	h.write("manifest.toml", []byte(text))
	collateral, err := s.CollateralFor(pki.SGX)
	if err != nil {
		t.Fatal(err)
	}
	h.write("collateral.json", collateral)
	if err := os.Mkdir(h.options.Envelope, 0o700); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := h.cli("provision", "key", "-o", h.path("operator.key")); code != 0 {
		t.Fatalf("%d %s", code, errs)
	}
	t.Cleanup(h.off)
	return h
}

func (h *sgxHost) path(name string) string { return filepath.Join(h.dir, name) }

func (h *sgxHost) write(name string, content []byte) {
	h.t.Helper()
	if err := os.WriteFile(h.path(name), content, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *sgxHost) cli(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = execute(context.WithoutCancel(h.t.Context()), args, &out, &errs)
	return code, out.String(), errs.String()
}

// microcode starts the machine with other sealing keys.
func (h *sgxHost) microcode(seed string) {
	h.t.Helper()
	h.off()
	played, err := devattest.Play(h.options.Attestation, devattest.Options{Enclave: h.sim, Seed: []byte(seed)})
	if err != nil {
		h.t.Fatal(err)
	}
	h.played = played
	if err := os.WriteFile(filepath.Join(h.options.Attestation, "keys", manifest.DataKeyName), make([]byte, 16), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *sgxHost) off() {
	if h.played == nil {
		return
	}
	if err := h.played.Close(); err != nil {
		h.t.Error(err)
	}
	h.played = nil
}

// waiting starts an enclave that must ask, and returns when the request lies there.
func (h *sgxHost) waiting() <-chan *sgx.Root {
	h.t.Helper()
	done := make(chan *sgx.Root, 1)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.t.Context()), time.Minute)
	go func() {
		defer cancel()
		root, err := sgx.Prepare(ctx, h.options)
		if err != nil {
			h.t.Error(err)
		}
		done <- root
	}()
	for ctx.Err() == nil {
		if _, err := os.Stat(h.path("envelope/request.json")); err == nil {
			return done
		}
		time.Sleep(5 * time.Millisecond)
	}
	h.t.Fatal("the enclave never asked")
	return nil
}

func (h *sgxHost) answer(more ...string) (code int, stdout, stderr string) {
	return h.cli(append([]string{
		"provision", "answer", h.path("envelope/request.json"), "--envelope", h.path("envelope/envelope.json"),
		"--key", h.path("operator.key"), "--collateral", h.path("collateral.json"), "-o", h.path("envelope/answer.json"),
	}, more...)...)
}

func originOf(t *testing.T, dataKey []byte) string {
	t.Helper()
	root, err := sgx.RootOf(dataKey)
	if err != nil {
		t.Fatal(err)
	}
	path, err := keys.LogPath(provisionAgent, 1)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := gramine.Derive(root, path)
	if err != nil {
		t.Fatal(err)
	}
	public := ed25519.NewKeyFromSeed(seed.Secret[:]).Public().(ed25519.PublicKey)
	return evidence.Origin(provisionAgent, evidence.PublicKey(public))
}

// TestMicrocodeUpdateWithTheOperatorsHelp: sealing keys change, the enclave asks, the operator judges and answers, the same data key
// comes back, the host never sees it, and the next start needs nobody.
func TestMicrocodeUpdateWithTheOperatorsHelp(t *testing.T) {
	h := newSGXHost(t)
	h.microcode("before")
	first, err := sgx.Prepare(t.Context(), h.options)
	if err != nil || first.Custody != evidence.Operator {
		t.Fatalf("%+v, %v", first, err)
	}
	origin := originOf(t, first.Secret)

	h.microcode("after")
	done := h.waiting()
	mrenclave := h.sim.EnclaveReport().MREnclave
	h.write("other.toml", []byte("version = 1\nsimulated = \"allow\"\n[[code]]\nname = \"other\"\nmrenclave = [\""+strings.Repeat("ab", 32)+"\"]\n"))
	h.write("agent.toml", []byte("version = 1\nsimulated = \"allow\"\n[[code]]\nname = \"teapot\"\nmrenclave = [\""+hex.EncodeToString(mrenclave[:])+"\"]\n"))
	h.write("empty.toml", nil)
	h.write("lax.toml", []byte("version = 1\nsimulated = \"allow\"\n"))
	for name, c := range map[string]struct {
		code int
		args []string
	}{
		"simulated, not asked for": {1, []string{"--origin", origin}},
		"empty policy":             {1, []string{"--origin", origin, "--policy", h.path("empty.toml")}},
		"policy for any simulator": {1, []string{"--origin", origin, "--policy", h.path("lax.toml")}},
		"policy for this one":      {1, []string{"--origin", origin, "--policy", h.path("agent.toml")}}, // anybody can claim its measurements
		"code of another policy":   {1, []string{"--allow-simulated", "--origin", origin, "--policy", h.path("other.toml")}},
		"another log":              {1, []string{"--allow-simulated", "--origin", originOf(t, make([]byte, 32))}},
		"no origin":                {64, []string{"--allow-simulated"}},
		"no log's name":            {64, []string{"--allow-simulated", "--origin", "x"}},
	} {
		if code, out, errs := h.answer(c.args...); code != c.code {
			t.Errorf("%s: %d, want %d\n%s%s", name, code, c.code, out, errs)
		}
		if _, err := os.Stat(h.path("envelope/answer.json")); err == nil {
			t.Fatalf("%s: something was sealed", name)
		}
	}
	if code, out, errs := h.cli("verify", h.path("envelope/request.json"), "--allow-simulated"); code != 2 || !strings.Contains(out+errs, "collateral") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	h.write("precious", []byte("of the operator"))
	if err := os.Symlink(h.path("precious"), h.path("envelope/answer.json")); err != nil { // the host writes in this directory
		t.Fatal(err)
	}
	code, out, errs := h.answer("--allow-simulated", "--origin", origin, "--policy", h.path("agent.toml"))
	if code != 0 || !strings.Contains(out, "SIMULATED") {
		t.Fatalf("%d %s%s", code, out, errs)
	}
	if kept, err := os.ReadFile(h.path("precious")); err != nil || string(kept) != "of the operator" {
		t.Errorf("the host's link led the answer to another file: %q, %v", kept, err)
	}
	second := <-done
	if second == nil || !bytes.Equal(second.Secret, first.Secret) || second.Opened != envelope.Operator || second.Custody != evidence.Operator {
		t.Fatalf("%+v", second)
	}
	left, err := os.ReadDir(h.options.Envelope)
	if err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
	third, err := sgx.Prepare(t.Context(), h.options)
	if err != nil || third.Opened != envelope.MRENCLAVE || !bytes.Equal(third.Secret, first.Secret) {
		t.Errorf("%+v, %v", third, err)
	}
}

// TestAHostsOwnDataKeyIsNotAnswered: the operator's public key is no secret, so a host can seal a key that it knows to it. Answering
// would give the enclave a key that the host knows.
func TestAHostsOwnDataKeyIsNotAnswered(t *testing.T) {
	h := newSGXHost(t)
	h.microcode("before")
	first, err := sgx.Prepare(t.Context(), h.options)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(h.options.Recovery)
	if err != nil {
		t.Fatal(err)
	}
	public, err := operator.ParsePublic(raw)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := envelope.Seal(bytes.Repeat([]byte{6}, 32), []envelope.Key{{Kind: envelope.MRENCLAVE, Secret: make([]byte, 16)}}, public)
	if err != nil {
		t.Fatal(err)
	}
	h.write("envelope/envelope.json", forged)
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() {
		_, err := sgx.Prepare(ctx, h.options)
		stopped <- err
	}()
	for {
		if _, err := os.Stat(h.path("envelope/request.json")); err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	code, out, errs := h.answer("--allow-simulated", "--origin", originOf(t, first.Secret))
	if code != 1 || !strings.Contains(errs, "another log") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	cancel() // as SIGTERM does
	if err := <-stopped; err == nil || !strings.Contains(err.Error(), "waiting for the operator") {
		t.Errorf("%v", err)
	}
}

func TestAnOperatorsKeyIsNeverOverwritten(t *testing.T) {
	h := newSGXHost(t)
	if code, _, _ := h.cli("provision", "key", "-o", h.path("operator.key")); code != 2 {
		t.Errorf("exit %d", code)
	}
	info, err := os.Stat(h.path("operator.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestOnlyNamedCodeGetsADataKey: whatever a policy waives, genuine hardware must run code that the policy names, and a simulation
// must be asked for on the command line.
func TestOnlyNamedCodeGetsADataKey(t *testing.T) {
	met := func(simulated bool, code appraisal.Outcome) verify.Result {
		return verify.Result{
			Tier: appraisal.Warned, Simulated: simulated, Checks: []appraisal.Check{{ID: "measurements.code", Outcome: code}},
		}
	}
	unmet := met(false, appraisal.Passed)
	unmet.Exit = 1
	for name, c := range map[string]struct {
		result    verify.Result
		simulated bool
		ok        bool
	}{
		"named code":                       {met(false, appraisal.Passed), false, true},
		"unknown code, waived":             {met(false, appraisal.Warning), false, false},
		"other code, waived":               {met(false, appraisal.Failed), true, false},
		"code never looked at":             {verify.Result{Tier: appraisal.Affirming}, true, false},
		"no verdict":                       {verify.Result{}, true, false},
		"policy not met":                   {unmet, true, false},
		"simulated":                        {met(true, appraisal.Passed), false, false},
		"simulated, asked for by the flag": {met(true, appraisal.Warning), true, true},
	} {
		if err := acceptedEnclave(c.result, c.simulated); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
