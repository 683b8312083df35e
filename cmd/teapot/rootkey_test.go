package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/attest/gramine"
	manifest "github.com/teapot-tee/teapot/deploy/gramine"
	"github.com/teapot-tee/teapot/evidence"
)

func sealing(b byte) []gramine.SealingKey {
	return []gramine.SealingKey{{Name: "_sgx_mrenclave", Secret: bytes.Repeat([]byte{b}, 16)}}
}

func TestEnvelopeSurvivesAMicrocodeUpdateOnlyWithAnOperator(t *testing.T) {
	operator := bytes.Repeat([]byte{9}, 32)
	for name, c := range map[string]struct {
		operator []byte
		custody  evidence.Custody
		survives bool
	}{
		"without": {nil, evidence.MRENCLAVE, false},
		"with":    {operator, evidence.Operator, true},
	} {
		path := filepath.Join(t.TempDir(), "envelope.json")
		first, custody, err := openEnvelope(path, sealing(1), c.operator)
		if err != nil || custody != c.custody {
			t.Fatalf("%s operator: custody %s, %v", name, custody, err)
		}
		again, _, err := openEnvelope(path, sealing(1), c.operator)
		if err != nil || !bytes.Equal(first, again) {
			t.Fatalf("%s operator: another data key after a restart: %v", name, err)
		}
		updated, _, err := openEnvelope(path, sealing(2), c.operator)
		if (err == nil) != c.survives || c.survives && !bytes.Equal(first, updated) {
			t.Errorf("%s operator: after the update: %v", name, err)
		}
		if c.survives {
			continue
		}
		if code := report(&bytes.Buffer{}, err); code != 2 {
			t.Errorf("exit %d", code)
		}
	}
}

func TestOperatorSlotIsOffAgainWhenTheKeyIsGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "envelope.json")
	operator := bytes.Repeat([]byte{9}, 32)
	if _, _, err := openEnvelope(path, sealing(1), operator); err != nil {
		t.Fatal(err)
	}
	if _, custody, err := openEnvelope(path, sealing(1), nil); err != nil || custody != evidence.MRENCLAVE {
		t.Fatalf("custody %s, %v", custody, err)
	}
	if _, _, err := openEnvelope(path, sealing(2), operator); err == nil {
		t.Error("the old operator key still opens the envelope, and custody said mrenclave")
	}
}

func TestUnlockMount(t *testing.T) {
	dir := t.TempDir()
	if err := unlockMount(dir, make([]byte, 32)); err == nil {
		t.Error("no such key file, and no error")
	}
	path := filepath.Join(dir, "keys", manifest.DataKeyName)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unlockMount(dir, make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	if raw, _ := os.ReadFile(path); len(raw) != 16 {
		t.Errorf("key of %d bytes", len(raw))
	}
}

func TestOperatorKeyFile(t *testing.T) {
	good := writeFile(t, "key", strings.Repeat("ab", 32)+"\n")
	if key, err := operatorKey(good); err != nil || len(key) != 32 {
		t.Errorf("%x, %v", key, err)
	}
	if key, err := operatorKey(""); key != nil || err != nil {
		t.Errorf("%x, %v", key, err)
	}
	for _, bad := range []string{writeFile(t, "short", "abcd"), writeFile(t, "text", "not hex"), "/nonexistent"} {
		if _, err := operatorKey(bad); err == nil {
			t.Errorf("%s accepted", bad)
		}
	}
}

func TestElizasSettingsMeanElizasWallets(t *testing.T) {
	for name, c := range map[string]struct {
		flag, mode, salt, want string
	}{
		"as for Eliza":    {"", "production", "s", "eliza/0.1.9"},
		"simulator":       {"", "LOCAL", "s", "eliza/0.1.9"},
		"no salt":         {"", "LOCAL", "", ""},
		"no TEE":          {"", "OFF", "s", ""},
		"salt alone":      {"", "", "s", ""},
		"asked otherwise": {"teapot/wallet/v1", "LOCAL", "s", "teapot/wallet/v1"},
	} {
		env := map[string]string{"TEE_MODE": c.mode, "WALLET_SECRET_SALT": c.salt}
		if got := walletDerivation(c.flag, func(k string) string { return env[k] }); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
