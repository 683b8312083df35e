package detect

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/guestapi"
)

// platformSocket plays a dstack guest agent at /var/run/dstack.sock: the simulator behind Teapot's guest API, with the
// refusal of Teapot's own tag taken away, as a real agent has none.
func platformSocket(t *testing.T, root string) {
	t.Helper()
	s, err := sim.New(sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ca, err := guestapi.SelfSignedCA(s.CAKey(), "test")
	if err != nil {
		t.Fatal(err)
	}
	appRoot, link := s.AppRoot()
	keys, err := guestapi.NewRoot(appRoot, link, ca)
	if err != nil {
		t.Fatal(err)
	}
	server, err := guestapi.New(guestapi.Options{Attester: s, Keys: keys, Policy: guestapi.AllowEverything(), Rev: "test"})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", server)
	mux.HandleFunc("/GetQuote", func(w http.ResponseWriter, r *http.Request) { realQuote(w, r, s) })
	path := filepath.Join(root, "var", "run", "dstack.sock")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- guestapi.Serve(ctx, ln, mux, guestapi.Limits{}) }()
	t.Cleanup(func() { stop(); <-done })
}

func TestSimulatorBehindAPlatformSocket(t *testing.T) {
	root, dir := t.TempDir(), t.TempDir()
	platformSocket(t, root)
	hardware := map[string]string{"TEAPOT_PLATFORM": "require-hardware"}
	_, _, err := Detect(t.Context(), Environment{Getenv: envOf(hardware), Root: root, Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "not Intel's") {
		t.Fatalf("require-hardware took a simulator behind the real socket: %v", err)
	}
	if _, ok, _ := attest.ReadRecord(dir); ok {
		t.Error("the refused platform claimed the directory")
	}
	a, found, err := Detect(t.Context(), Environment{Getenv: envOf(nil), Root: root, Dir: dir})
	if err != nil || a.Platform() != "dstack-tdx" || !found.Simulated {
		t.Fatalf("%+v, %v", found, err)
	}
	first, _, _ := attest.ReadRecord(dir)
	if first.Root == "" || first.Derivation != a.Derivation() {
		t.Errorf("record %+v", first)
	}
}

func TestAnotherMachineBehindTheSameSocket(t *testing.T) {
	dir := t.TempDir()
	for i := range 2 {
		root := t.TempDir()
		platformSocket(t, root)
		_, _, err := Detect(t.Context(), Environment{Getenv: envOf(nil), Root: root, Dir: dir})
		var foreign *attest.ForeignDataError
		if i == 0 && err != nil || i == 1 && !errors.As(err, &foreign) {
			t.Errorf("start %d: %v", i, err)
		}
	}
}

func realQuote(w http.ResponseWriter, r *http.Request, s *sim.Simulator) {
	var request struct {
		ReportData string `json:"report_data"`
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	raw, err := hex.DecodeString(request.ReportData)
	if err != nil || len(raw) != 64 {
		http.Error(w, "report_data", http.StatusBadRequest)
		return
	}
	q, err := s.Quote(r.Context(), [64]byte(raw))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{
		"quote": hex.EncodeToString(q.Raw), "event_log": string(q.EventLog), "report_data": request.ReportData, "vm_config": "",
	})
}
