package sim

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/eventlog"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys/dstackkey"
)

func fixedClock() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }

func newSim(t testing.TB, o Options) *Simulator {
	t.Helper()
	if o.Clock == nil {
		o.Clock = fixedClock
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestQuoteCarriesReportDataAndReplays(t *testing.T) {
	s := newSim(t, Options{})
	rd := evidence.ReportData([]byte("statement"))
	for range 3 {
		q, err := s.Quote(t.Context(), rd)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(q.Raw[568:632], rd[:]) {
			t.Fatal("the quote carries other report data")
		}
		if !strings.HasPrefix(string(q.Raw[28:48]), "TEAPOT-SIMULATED") {
			t.Error("the quote's header does not say that it is simulated")
		}
		events, err := eventlog.Parse(q.EventLog)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range eventlog.Replay(events) {
			if !bytes.Equal(r[:], q.Raw[376+48*i:424+48*i]) {
				t.Errorf("RTMR%d does not replay", i)
			}
		}
		if err := s.EmitEvent(t.Context(), "app", []byte("payload")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConcurrentEventsAndQuotesReplay(t *testing.T) {
	s := newSim(t, Options{})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			for range 10 {
				if err := s.EmitEvent(t.Context(), "app", []byte{byte(i)}); err != nil {
					t.Error(err)
				}
				q, err := s.Quote(t.Context(), [64]byte{byte(i)})
				if err != nil {
					t.Error(err)
					return
				}
				events, err := eventlog.Parse(q.EventLog)
				if err != nil {
					t.Error(err)
					return
				}
				if r := eventlog.Replay(events); !bytes.Equal(r[3][:], q.Raw[520:568]) {
					t.Error("RTMR3 does not replay")
				}
				if q.Raw[568] != byte(i) {
					t.Error("another caller's report data")
				}
			}
		})
	}
	wg.Wait()
	if err := s.EmitEvent(t.Context(), "", nil); err == nil {
		t.Error("an event without a name was accepted")
	}
	if err := s.EmitEvent(t.Context(), "x", make([]byte, maxPayload+1)); err == nil {
		t.Error("an oversized payload was accepted")
	}
}

func TestSameDirectorySameSimulator(t *testing.T) {
	dir := t.TempDir()
	a, b := newSim(t, Options{Dir: dir}), newSim(t, Options{Dir: dir})
	if !bytes.Equal(a.RootDER(), b.RootDER()) {
		t.Error("another root after a restart")
	}
	ka, _ := a.Key(t.Context(), "teapot/x")
	kb, _ := b.Key(t.Context(), "teapot/x")
	if ka.Secret != kb.Secret {
		t.Error("another key after a restart")
	}
	ia, _ := a.Info(t.Context())
	ib, _ := b.Info(t.Context())
	if ia.InstanceID != ib.InstanceID || ia.InstanceID == "" {
		t.Error("another instance after a restart")
	}
	other := newSim(t, Options{Dir: t.TempDir()})
	if ko, _ := other.Key(t.Context(), "teapot/x"); ko.Secret == ka.Secret || bytes.Equal(other.RootDER(), a.RootDER()) {
		t.Error("two installations share keys or root")
	}
	info, err := os.Stat(filepath.Join(dir, FileName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestBrokenFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	newSim(t, Options{Dir: dir})
	path := filepath.Join(dir, FileName)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"empty": nil, "cut": raw[:len(raw)/2], "other type": bytes.Replace(raw, []byte(fileType), []byte("x"), 1)} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSeedGivesKeysAndSaysSo(t *testing.T) {
	seed := bytes.Repeat([]byte{7}, 32)
	a, b := newSim(t, Options{Seed: seed}), newSim(t, Options{Seed: seed})
	ka, _ := a.Key(t.Context(), "p")
	kb, _ := b.Key(t.Context(), "p")
	if ka.Secret != kb.Secret {
		t.Error("a seed must give the same keys")
	}
	if a.Custody() != evidence.PublicSeed || newSim(t, Options{}).Custody() != evidence.Operator {
		t.Error("custody must be public-seed with a seed and operator without")
	}
	if _, err := New(Options{Seed: []byte("short")}); err == nil {
		t.Error("a short seed was accepted")
	}
}

func TestKeyChainEndsAtTheSimulatedKMS(t *testing.T) {
	s := newSim(t, Options{})
	for _, algorithm := range []string{"ed25519", "secp256k1"} {
		key, err := s.Key(t.Context(), "teapot/wallet/a/"+algorithm)
		if err != nil {
			t.Fatal(err)
		}
		public, err := dstackkey.Public(key.Secret, algorithm)
		if err != nil {
			t.Fatal(err)
		}
		info, _ := s.Info(t.Context())
		appID, _ := hex.DecodeString(info.AppID)
		if err := dstackkey.VerifyChain(dstackkey.ClaimV0("teapot", public), key.Chain, appID, s.KMSRoot()); err != nil {
			t.Error(err)
		}
	}
	if key, err := s.Key(t.Context(), "teapot/storage/a/secret"); err != nil || key.Chain != nil {
		t.Errorf("a symmetric key has no public half to sign: %v %v", key.Chain, err)
	}
}

func TestDeriveKeyIsTappds(t *testing.T) {
	s := newSim(t, Options{})
	der, err := s.DeriveKey(t.Context(), "/", "salt")
	if err != nil || len(der) != 138 {
		t.Fatalf("%d bytes, %v", len(der), err)
	}
	again, _ := s.DeriveKey(t.Context(), "/", "another subject")
	if !bytes.Equal(der, again) {
		t.Error("the subject must not enter the derivation")
	}
	if _, err := x509.ParsePKCS8PrivateKey(der); err != nil {
		t.Error(err)
	}
}

func TestCollateralIsRenewed(t *testing.T) {
	now := fixedClock()
	s := newSim(t, Options{Clock: func() time.Time { return now }})
	first, err := s.Collateral(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(14 * 24 * time.Hour)
	if same, _ := s.Collateral(t.Context(), nil); !bytes.Equal(first, same) {
		t.Error("made anew before half of its life")
	}
	now = now.Add(2 * 24 * time.Hour)
	if fresh, _ := s.Collateral(t.Context(), nil); bytes.Equal(first, fresh) {
		t.Error("not renewed")
	}
}

func TestMeasuresAreThoseOfTheQuote(t *testing.T) {
	s := newSim(t, Options{})
	info, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	instance, _ := hex.DecodeString(info.InstanceID)
	m, err := Measures(DefaultAppCompose(), instance)
	if err != nil {
		t.Fatal(err)
	}
	q, _ := s.Quote(t.Context(), [64]byte{})
	if !bytes.Equal(m.MRTD[:], q.Raw[184:232]) || !bytes.Equal(m.RTMR[3][:], q.Raw[520:568]) || !bytes.Equal(m.MRConfigID[:], q.Raw[232:280]) {
		t.Error("expected values differ from the quote")
	}
	if agg := m.Aggregated(); hex.EncodeToString(agg[:]) != info.MRAggregated {
		t.Error("mr_aggregated differs")
	}
}

func TestSGXMode(t *testing.T) {
	s := newSim(t, Options{SGX: true})
	rd := evidence.ReportData([]byte("x"))
	q, err := s.Quote(t.Context(), rd)
	if err != nil || q.Raw[0] != 3 || !bytes.Equal(q.Raw[368:432], rd[:]) {
		t.Fatalf("not an SGX quote over the report data: %v", err)
	}
	if q.Raw[len(q.Raw)-1] != 0 {
		t.Error("the PCK chain must end in NUL: plugin-sgx cuts after the last zero byte")
	}
	info, _ := s.Info(t.Context())
	if info.Measurements.MRENCLAVE != hex.EncodeToString(q.Raw[112:144]) {
		t.Error("MRENCLAVE differs")
	}
}

func TestClaim(t *testing.T) {
	dir := t.TempDir()
	s := newSim(t, Options{})
	for range 2 {
		if err := attest.Claim(dir, s); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkQuote(b *testing.B) {
	s := newSim(b, Options{})
	for b.Loop() {
		if _, err := s.Quote(b.Context(), [64]byte{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "quotes/s")
}

func BenchmarkKey(b *testing.B) {
	s := newSim(b, Options{})
	for b.Loop() {
		if _, err := s.Key(b.Context(), "teapot/wallet/25c1e1b0-4f3c-0b6e-9d59-2b6f7f8a9c10/secp256k1"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "keys/s")
}

func BenchmarkDeriveKey(b *testing.B) {
	s := newSim(b, Options{})
	for b.Loop() {
		if _, err := s.DeriveKey(b.Context(), "/", ""); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "keys/s")
}

func TestClaimOfAKeyVerifies(t *testing.T) {
	s := newSim(t, Options{})
	const path = "teapot/wallet/x/secp256k1"
	key, err := s.Key(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	public, err := dstackkey.Public(key.Secret, "secp256k1")
	if err != nil {
		t.Fatal(err)
	}
	claim := key.Claim("wallet", path, "secp256k1", public)
	info, _ := s.Info(t.Context())
	appID, _ := hex.DecodeString(info.AppID)
	if err := dstackkey.Verify(*claim, appID, s.KMSRoot()); err != nil {
		t.Error(err)
	}
	claim.Purpose = "other"
	if dstackkey.Verify(*claim, appID, s.KMSRoot()) == nil {
		t.Error("another purpose verifies")
	}
	claim.API = "dstack/v9"
	if dstackkey.Verify(*claim, appID, s.KMSRoot()) == nil {
		t.Error("an unknown API verifies")
	}
	if none, _ := s.Key(t.Context(), "teapot/x/secret"); none.Claim("storage", "teapot/x/secret", "secret", nil) != nil {
		t.Error("a symmetric key has a claim")
	}
}

func TestKeysAreUnderTheAppRoot(t *testing.T) {
	s := newSim(t, Options{Seed: bytes.Repeat([]byte{7}, 32)})
	root, kms := s.AppRoot()
	key, err := s.Key(t.Context(), "p")
	if err != nil || key.Secret != dstackkey.GetKey(root[:], "p") || len(kms) != 65 {
		t.Errorf("key %x, KMS signature of %d bytes, %v", key.Secret, len(kms), err)
	}
	if !s.CAKey().PublicKey.Equal(s.CAKey().Public()) || s.EnclaveReport().MREnclave == [32]byte{} || s.Close() != nil {
		t.Error("CA key, enclave identity or Close")
	}
}

func TestUnwritableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Dir: filepath.Join(file, "below")}); err == nil {
		t.Error("made a simulator below a file")
	}
}
