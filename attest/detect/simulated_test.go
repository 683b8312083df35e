package detect

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/attest/sim/pki"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/guestapi"
)

// ownSimulator is teapot simulate on loopback.
func ownSimulator(t *testing.T, allow, collateral bool) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveSimulator(t, ln, allow, collateral)
	return "http://" + ln.Addr().String()
}

// serveSimulator serves the guest API of a new simulator.
func serveSimulator(t *testing.T, ln net.Listener, allow, collateral bool) {
	t.Helper()
	s, err := sim.New(sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ca, err := guestapi.SelfSignedCA(s.CAKey(), "test")
	if err != nil {
		t.Fatal(err)
	}
	root, link := s.AppRoot()
	keys, err := guestapi.NewRoot(root, link, ca)
	if err != nil {
		t.Fatal(err)
	}
	server, err := guestapi.New(guestapi.Options{Attester: s, Keys: keys, Policy: guestapi.AllowEverything(), Simulated: true, AllowTeapotStatements: allow})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", server)
	if collateral {
		mux.HandleFunc("GET /teapot/collateral/tdx", func(w http.ResponseWriter, _ *http.Request) {
			raw, err := s.CollateralFor(pki.TDX)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			_, _ = w.Write(raw)
		})
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- guestapi.Serve(ctx, ln, mux, guestapi.Limits{}) }()
	t.Cleanup(func() { stop(); <-done })
}

func at(t *testing.T, endpoint, dir string) (attest.Attester, Finding, error) {
	t.Helper()
	set := map[string]string{"TEE_MODE": "LOCAL", "DSTACK_SIMULATOR_ENDPOINT": endpoint, "WALLET_SECRET_SALT": "salt"}
	return Detect(t.Context(), Environment{Getenv: envOf(set), Root: t.TempDir(), Dir: dir})
}

func TestOwnSimulatorRefusesTeapotUnlessTold(t *testing.T) {
	_, _, err := at(t, ownSimulator(t, false, true), t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "--platform-socket") {
		t.Errorf("error %v", err)
	}
}

func TestOwnSimulatorAsPlatform(t *testing.T) {
	a, found, err := at(t, ownSimulator(t, true, true), t.TempDir())
	if err != nil || a.Platform() != "dstack-tdx" {
		t.Fatalf("%+v, %v", found, err)
	}
	if !strings.Contains(strings.Join(found.Warnings, "\n"), "SIMULATED") || found.Salt != "salt" {
		t.Errorf("finding %+v", found)
	}
	if key, err := a.Key(t.Context(), "teapot/log/b850bc30-45f8-0041-a00a-83df46d8555d/0/ed25519"); err != nil || key.Secret == [32]byte{} {
		t.Errorf("no key: %v", err)
	}
	rd := evidence.ReportData([]byte("statement"))
	q, err := a.Quote(t.Context(), rd)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := a.(attest.CollateralSource).Collateral(t.Context(), q.Raw)
	if err != nil {
		t.Fatal(err)
	}
	c, err := dcap.ParseCollateral(raw)
	if err != nil {
		t.Fatal(err)
	}
	var v dcap.Verifier
	report, err := v.Verify(q.Raw, c, dcap.Options{AllowSimulated: true, At: time.Now()})
	if err != nil || !report.Accepted || !report.Simulated || report.Quote.ReportData() != rd {
		t.Errorf("%+v, %v", report, err)
	}
	if a.Custody() != evidence.Operator {
		t.Errorf("custody %q", a.Custody())
	}
}

func TestSimulatorWithoutCollateral(t *testing.T) {
	a, _, err := at(t, ownSimulator(t, true, false), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.(attest.CollateralSource).Collateral(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "no collateral") {
		t.Errorf("error %v", err)
	}
}

func TestSimulatorOnASocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dstack.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	serveSimulator(t, ln, true, true)
	a, _, err := at(t, path, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.(attest.CollateralSource).Collateral(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// forger is a platform whose quotes carry no valid signature, as those of dstack's own simulator and of the community's.
type forger struct{ *sim.Simulator }

func (f forger) Quote(ctx context.Context, reportData [64]byte) (attest.Quote, error) {
	q, err := f.Simulator.Quote(ctx, reportData)
	if err == nil {
		q.Raw[640] ^= 1
	}
	return q, err
}

func TestQuotesThatDoNotVerifyAreAWarningAndNeverHardware(t *testing.T) {
	s, err := sim.New(sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	genuine, warning, err := settle(t.Context(), Environment{Dir: dir}, settings{}, forger{s})
	if err != nil || genuine || !strings.Contains(warning, "not genuine") {
		t.Errorf("genuine %v, warning %q, %v", genuine, warning, err)
	}
	if _, _, err := settle(t.Context(), Environment{}, settings{requireHardware: true}, forger{s}); err == nil {
		t.Error("require-hardware took quotes that do not verify")
	}
	if _, _, err := settle(t.Context(), Environment{Dir: dir}, settings{}, s); err == nil {
		t.Error("a directory of quotes that do not verify became another platform's")
	}
}
