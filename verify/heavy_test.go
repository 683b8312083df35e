//go:build unix

package verify_test

import (
	"bufio"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/verify"
)

// heavyEntries is how large the log of the heavy tests is: TEAPOT_HEAVY=1000000 is the number of record; without it a
// small log keeps the suite short.
func heavyEntries(t testing.TB) int {
	n, err := strconv.Atoi(os.Getenv("TEAPOT_HEAVY"))
	if err != nil {
		return 4_000
	}
	return n
}

// fill appends n entries from many clients, so that commits are shared.
func (p *process) fill(t testing.TB, n int) {
	t.Helper()
	l := p.log(t)
	var wg sync.WaitGroup
	const clients = 256
	for c := range clients {
		wg.Go(func() {
			for range (n + clients - 1 - c) / clients {
				if _, err := l.Append(t.Context(), actionlog.Entry{Type: "message", Source: tlog.SourceRuntime, Room: "r", User: "u", MediaType: "text/plain", Content: []byte("a message of ordinary length, nothing special about it")}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func (p *process) save(t testing.TB, path string, x actionlog.Extract) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err := p.log(t).Bundle(t.Context(), w, x); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// appraiseFile returns the processor time that the appraisal took: on a busy machine the clock says little.
func appraiseFile(t testing.TB, path string, seen ...verify.Seen) (verify.Result, time.Duration) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	began := processorTime(t)
	r, err := verify.Appraise(verify.Input{Target: path, Kind: verify.KindBundle, Log: f, Seen: seen}, simulated(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return r, processorTime(t) - began
}

func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestLargeLog: a whole log is verified in bounded memory, and what is new since then in a fraction of the time.
// With TEAPOT_HEAVY=1000000: under 25 s on two cores, and 10,000 new entries under 1 s.
func TestLargeLog(t *testing.T) {
	n := heavyEntries(t)
	p := begin(t, t.TempDir())
	p.fill(t, n)
	path := os.Getenv("TEAPOT_HEAVY_FILE") // kept, to be verified by the binary and watched
	if path == "" {
		path = filepath.Join(t.TempDir(), "large.bundle")
	}
	p.save(t, path, actionlog.Extract{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r, took := appraiseFile(t, path)
	runtime.ReadMemStats(&after)
	wantMet(t, r)
	rate := float64(n) / took.Seconds()
	t.Logf("%d entries: %v of processor time; 1M on two cores: %.1f s; memory from the system grew by %d MB", n, took, 1e6/rate/2, (after.Sys-before.Sys)>>20)
	if a := r.Agents[0]; a.Verified != a.Size || a.Size < uint64(n) {
		t.Fatalf("verified %d of %d", a.Verified, a.Size)
	}
	size, more := r.Agents[0].Size, min(10_000, n/2)
	p.fill(t, more)
	p.save(t, path+".new", actionlog.Extract{Base: size})
	again, took := appraiseFile(t, path+".new", r.Remember...)
	wantMet(t, again)
	if a := again.Agents[0]; a.Verified != uint64(more) || again.Find("rollback.memory").Outcome != appraisal.Passed {
		t.Fatalf("verified %d:\n%s", a.Verified, text(again))
	}
	t.Logf("%d new entries: %v of processor time", more, took)
}
