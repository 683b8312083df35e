package sgx

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/boot/envelope"
	"github.com/teapot-tee/teapot/boot/operator"
	manifest "github.com/teapot-tee/teapot/deploy/gramine"
	"github.com/teapot-tee/teapot/evidence"
)

// enclave plays /dev/attestation in a directory, with a strict manifest.
func enclave(t *testing.T) Options {
	t.Helper()
	dir := t.TempDir()
	o := Options{Attestation: filepath.Join(dir, "attestation"), Manifest: filepath.Join(dir, "manifest.toml"), Envelope: filepath.Join(dir, "envelope")}
	for _, d := range []string{o.Attestation + "/keys", o.Envelope} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	put(t, o.Attestation+"/attestation_type", []byte("dcap"))
	put(t, o.Attestation+"/my_target_info", make([]byte, 512))
	report := make([]byte, 432)
	copy(report[128:], bytes.Repeat([]byte{0xab}, 32))
	put(t, o.Attestation+"/report", report)
	put(t, o.Attestation+"/keys/"+manifest.DataKeyName, nil) // Gramine shows the keys that the manifest names
	seal(t, o, 1)
	text, err := manifest.Render(manifest.Options{Binary: "/opt/teapot", Manifest: "/opt/manifest.toml", Data: "/var/data", Envelope: "/var/envelope"})
	if err != nil {
		t.Fatal(err)
	}
	put(t, o.Manifest, []byte(text))
	return o
}

// seal gives the enclave other sealing keys, as a microcode update does.
func seal(t *testing.T, o Options, b byte) {
	t.Helper()
	put(t, o.Attestation+"/keys/_sgx_mrenclave", bytes.Repeat([]byte{b}, 16))
	put(t, o.Attestation+"/keys/_sgx_mrsigner", bytes.Repeat([]byte{b + 100}, 16))
}

func put(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSecondStartOpensTheSameRoot(t *testing.T) {
	o := enclave(t)
	first, err := Prepare(t.Context(), o)
	if err != nil || first.Custody != evidence.MRENCLAVE || first.Opened != "" {
		t.Fatalf("%+v, %v", first, err)
	}
	second, err := Prepare(t.Context(), o)
	if err != nil || !bytes.Equal(first.Secret, second.Secret) || second.Opened != envelope.MRENCLAVE {
		t.Errorf("%+v, %v", second, err)
	}
	key, err := os.ReadFile(o.Attestation + "/keys/" + manifest.DataKeyName)
	if err != nil || len(key) != 16 || bytes.Contains(first.Secret, key) {
		t.Errorf("mount key %x, %v", key, err)
	}
}

// TestMicrocodeUpdateWithoutAnotherSlot is refused with words that say what can be done; the old keys still open.
func TestMicrocodeUpdateWithoutAnotherSlot(t *testing.T) {
	o := enclave(t)
	first, err := Prepare(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	seal(t, o, 2)
	if _, err := Prepare(t.Context(), o); err == nil || !strings.Contains(err.Error(), "microcode") || !strings.Contains(err.Error(), "--recovery-key") {
		t.Fatalf("%v", err)
	}
	seal(t, o, 1)
	if again, err := Prepare(t.Context(), o); err != nil || !bytes.Equal(again.Secret, first.Secret) {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestTheRecoveryKeyMustBeMeasured(t *testing.T) {
	o := enclave(t)
	k, err := operator.New()
	if err != nil {
		t.Fatal(err)
	}
	public, err := k.Public().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	o.Recovery = filepath.Join(o.Envelope, "operator.pub")
	put(t, o.Recovery, public)
	for _, path := range []string{o.Recovery, o.Envelope + "/../envelope/operator.pub", "operator.pub"} {
		o.Recovery = path
		if _, err := Prepare(t.Context(), o); err == nil || !strings.Contains(err.Error(), "trusted file") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestSignerSlotShowsInCustody(t *testing.T) {
	o := enclave(t)
	o.SealToSigner = true
	root, err := Prepare(t.Context(), o)
	if err != nil || root.Custody != evidence.MRSIGNER(strings.Repeat("ab", 32)) {
		t.Errorf("%+v, %v", root, err)
	}
}

func TestInsecureManifestStopsTheStart(t *testing.T) {
	o := enclave(t)
	raw, err := os.ReadFile(o.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	put(t, o.Manifest, bytes.Replace(raw, []byte("sgx.debug = false"), []byte("sgx.debug = true"), 1))
	if _, err := Prepare(t.Context(), o); err == nil || !strings.Contains(err.Error(), "sgx.debug") {
		t.Errorf("%v", err)
	}
	if key, err := os.ReadFile(o.Attestation + "/keys/" + manifest.DataKeyName); err != nil || len(key) > 0 {
		t.Error("the mount got its key all the same")
	}
}

func TestOutsideAnEnclaveNothingHappens(t *testing.T) {
	root, err := Prepare(t.Context(), Options{Attestation: t.TempDir(), Envelope: t.TempDir()})
	if root != nil || err != nil {
		t.Errorf("%+v, %v", root, err)
	}
}
