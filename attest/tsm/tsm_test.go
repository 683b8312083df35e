//go:build linux

package tsm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-configfs-tsm/configfs/configfsi"
	"github.com/google/go-configfs-tsm/configfs/fakertmr"
	"github.com/google/go-configfs-tsm/configfs/faketsm"

	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/attest/sim/devattest"
	"github.com/teapot-tee/teapot/eventlog"
	"github.com/teapot-tee/teapot/evidence"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// quoter makes the simulator's TDX quotes out of inblobs.
func quoter(t *testing.T) func(inblob []byte) ([]byte, error) {
	t.Helper()
	simulator, err := sim.New(sim.Options{})
	must(t, err)
	return func(inblob []byte) ([]byte, error) {
		if len(inblob) != 64 {
			return nil, syscall.EINVAL // as the kernel: at read, not at write
		}
		q, err := simulator.Quote(context.Background(), [64]byte(inblob))
		return q.Raw, err
	}
}

// fake is the library's configfs-tsm with our outblob.
func fake(t *testing.T, provider string, outblob func(inblob []byte) ([]byte, error)) *faketsm.Client {
	t.Helper()
	reports := faketsm.ReportV7(0)
	reports.ReadAttr = func(e *faketsm.ReportEntry, attr string) ([]byte, error) {
		switch attr {
		case "outblob":
			return outblob(e.InAttrs["inblob"].Value)
		case "provider":
			return []byte(provider), nil
		}
		return nil, os.ErrNotExist
	}
	return &faketsm.Client{Subsystems: map[string]configfsi.Client{"report": reports}}
}

func open(t *testing.T, client configfsi.Client) *Guest {
	t.Helper()
	g, err := Open(t.Context(), Options{Client: client, CCEL: filepath.Join(t.TempDir(), "CCEL"), Measurements: t.TempDir()})
	must(t, err)
	return g
}

func TestQuotesWithTheLibrarysFake(t *testing.T) {
	g := open(t, fake(t, "tdx_guest\n", quoter(t)))
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			want := [64]byte{byte(i), 1, 63: 2}
			q, err := g.Quote(t.Context(), want)
			if err != nil || [64]byte(q.Raw[568:632]) != want {
				t.Errorf("quote %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	info, err := g.Info(t.Context())
	must(t, err)
	if len(info.Measurements.MRTD) != 96 || len(info.Measurements.RTMR[3]) != 96 || g.Platform() != "tdx" {
		t.Errorf("info %+v", info)
	}
}

func TestQuoteErrors(t *testing.T) {
	good := quoter(t)
	sgx := make([]byte, 5000)
	sgx[0] = 3
	for name, v := range map[string]struct {
		provider string
		outblob  func([]byte) ([]byte, error)
		want     string
	}{
		"empty outblob":     {"tdx_guest\n", func([]byte) ([]byte, error) { return []byte{}, nil }, "empty quote"},
		"error at read":     {"tdx_guest\n", func([]byte) ([]byte, error) { return nil, syscall.EIO }, "when outblob is read"},
		"other provider":    {"sev_guest\n", good, "want tdx_guest"},
		"other report data": {"tdx_guest\n", func([]byte) ([]byte, error) { return good(make([]byte, 64)) }, "asked for"},
		"not TDX":           {"tdx_guest\n", func([]byte) ([]byte, error) { return sgx, nil }, "not a TDX quote"},
		"short":             {"tdx_guest\n", func([]byte) ([]byte, error) { return []byte{4}, nil }, "more than"},
	} {
		if _, err := open(t, fake(t, v.provider, v.outblob)).Quote(t.Context(), [64]byte{1}); err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: %v, want %q", name, err, v.want)
		}
	}
}

// disturbed writes to a request behind the back of its owner, n times.
type disturbed struct {
	configfsi.Client
	n int
}

func (d *disturbed) WriteFile(name string, contents []byte) error {
	if err := d.Client.WriteFile(name, contents); err != nil || d.n == 0 {
		return err
	}
	d.n--
	_, err := d.Client.ReadFile(filepath.Join(filepath.Dir(name), "outblob"))
	return errors.Join(err, d.Client.WriteFile(name, make([]byte, 64)))
}

func TestGenerationRaces(t *testing.T) {
	want := [64]byte{1, 2, 3}
	q, err := open(t, &disturbed{fake(t, "tdx_guest\n", quoter(t)), generationRaces - 1}).Quote(t.Context(), want)
	must(t, err)
	if [64]byte(q.Raw[568:632]) != want {
		t.Error("the other writer's quote came back")
	}
	if _, err := open(t, &disturbed{fake(t, "tdx_guest\n", quoter(t)), 1000}).Quote(t.Context(), want); err == nil {
		t.Error("no error although every request was disturbed")
	}
}

// kernel plays configfs-tsm in a plain directory: attributes are pipes, a goroutine is at their other end.
type kernel struct {
	files
	t       *testing.T
	outblob func([]byte) ([]byte, error)
	mu      sync.Mutex
	entries map[string]*devattest.Fifos
}

func (k *kernel) MkdirTemp(dir, pattern string) (string, error) {
	path, err := k.files.MkdirTemp(dir, pattern)
	if err != nil {
		return "", err
	}
	f := devattest.NewFifos(k.at(path))
	k.mu.Lock()
	k.entries[path] = f
	k.mu.Unlock()
	var mu sync.Mutex
	var inblob []byte
	generation := 0
	return path, errors.Join(
		f.Writes("inblob", func(value []byte) {
			mu.Lock()
			defer mu.Unlock()
			inblob = value
			generation++
		}),
		f.Reads("generation", func() ([]byte, error) {
			f.Settle()
			mu.Lock()
			defer mu.Unlock()
			return fmt.Appendf(nil, "%d\n", generation), nil
		}),
		f.Reads("outblob", func() ([]byte, error) {
			f.Settle()
			mu.Lock()
			defer mu.Unlock()
			return k.outblob(inblob)
		}),
		f.Reads("provider", func() ([]byte, error) { return []byte("tdx_guest\n"), nil }),
	)
}

func (k *kernel) RemoveAll(name string) error {
	k.mu.Lock()
	f := k.entries[name]
	delete(k.entries, name)
	k.mu.Unlock()
	return errors.Join(f.Close(), k.files.RemoveAll(name))
}

func TestQuotesWithAPlayedDirectory(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "report"), 0o700))
	k := &kernel{files: files{dir}, t: t, outblob: quoter(t), entries: map[string]*devattest.Fifos{}}
	g := open(t, k)
	for i := range 10 {
		want := [64]byte{byte(i), 5}
		q, err := g.Quote(t.Context(), want)
		must(t, err)
		if [64]byte(q.Raw[568:632]) != want {
			t.Errorf("quote %d carries %x", i, q.Raw[568:632])
		}
	}
	left, err := os.ReadDir(filepath.Join(dir, "report"))
	must(t, err)
	if len(left) != 0 {
		t.Errorf("%d requests were left behind", len(left))
	}
}

func TestEmitEvent(t *testing.T) {
	client := fake(t, "tdx_guest\n", quoter(t))
	if err := open(t, client).EmitEvent(t.Context(), "e", nil); err == nil || !strings.Contains(err.Error(), "has neither") {
		t.Errorf("a kernel without RTMR files: %v", err)
	}
	client.Subsystems["rtmrs"] = fakertmr.CreateRtmrSubsystem(t.TempDir())
	g := open(t, client)
	must(t, g.EmitEvent(t.Context(), "first", []byte("payload")))
	q, err := g.Quote(t.Context(), [64]byte{1})
	must(t, err)
	events, err := eventlog.Parse(q.EventLog)
	must(t, err)
	if len(events) != 1 || events[0].Name != "first" || events[0].IMR != 3 {
		t.Errorf("log %s", q.EventLog)
	}
	if g.EmitEvent(t.Context(), "", nil) == nil {
		t.Error("an event without a name")
	}

	// Linux 6.16: a file per register, 48 bytes written extend it.
	newer := open(t, fake(t, "tdx_guest\n", quoter(t)))
	register := filepath.Join(newer.options.Measurements, "rtmr3:sha384")
	must(t, os.WriteFile(register, nil, 0o600))
	must(t, newer.EmitEvent(t.Context(), "second", nil))
	want := eventlog.DigestV1("second", nil)
	if got, err := os.ReadFile(register); err != nil || !bytes.Equal(got, want[:]) {
		t.Errorf("register file got %x, %v", got, err)
	}
}

func TestCCEL(t *testing.T) {
	g := open(t, fake(t, "tdx_guest\n", quoter(t)))
	must(t, os.WriteFile(g.options.CCEL, []byte("firmware log"), 0o600))
	q, err := g.Quote(t.Context(), [64]byte{1})
	must(t, err)
	if string(q.CCEL) != "firmware log" {
		t.Errorf("CCEL %q", q.CCEL)
	}
}

func TestKeys(t *testing.T) {
	client := fake(t, "tdx_guest\n", quoter(t))
	secret := func(o Options, path string) [32]byte {
		o.Client = client
		g, err := Open(t.Context(), o)
		must(t, err)
		key, err := g.Key(t.Context(), path)
		must(t, err)
		custody, derivation := evidence.ThisStart, DerivationThisStart
		if o.OperatorKey != nil {
			custody, derivation = evidence.Operator, DerivationOperator
		}
		if g.Custody() != custody || g.Derivation() != derivation {
			t.Errorf("custody %s, derivation %s", g.Custody(), g.Derivation())
		}
		return key.Secret
	}
	operator := Options{OperatorKey: bytes.Repeat([]byte{7}, 32)}
	if first, second := secret(Options{}, "a"), secret(Options{}, "a"); first == second {
		t.Error("two starts without an operator key have the same keys")
	}
	first, second := secret(operator, "a"), secret(operator, "a")
	if first != second || first == secret(operator, "b") {
		t.Error("with an operator key the path decides")
	}
	if _, err := Open(t.Context(), Options{Client: client, OperatorKey: []byte("short")}); err == nil {
		t.Error("a short operator key")
	}
}

func TestNoTDX(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "TSM_REPORTS") {
		t.Error(err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "report"), nil, 0o600))
	if _, err := Open(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Error(err)
	}
}
