package bundle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/tlog/tlogtest"
)

// TestAuditOfALargeBundle writes a bundle to disk and audits it from there: 20,000 entries by default, TEAPOT_ENTRIES of them if set
// (1000000 takes a minute). It prints rate and memory; memory must not grow with the log.
func TestAuditOfALargeBundle(t *testing.T) {
	n := 20_000
	if raceEnabled {
		n = 2_000
	}
	if s := os.Getenv("TEAPOT_ENTRIES"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "log.teapot")
	origin := writeLarge(t, path, n)
	runtime.GC()
	before := time.Now()
	report := auditFile(t, path, origin)
	took := time.Since(before)
	if !report.OK() || report.Entries != uint64(n) {
		t.Fatalf("%+v", report.Checks)
	}
	rss := resident(t)
	t.Logf("%d entries in %v: %.0f/s, %d MB resident", n, took.Round(time.Millisecond), float64(n)/took.Seconds(), rss>>20)
	if limit := int64(300 << 20); rss > limit && !raceEnabled {
		t.Errorf("%d MB resident, the limit is %d", rss>>20, limit>>20)
	}
}

// writeLarge streams a log of n entries into a file, so that the test itself needs little memory; it returns the origin.
func writeLarge(t *testing.T, path string, n int) string {
	t.Helper()
	leaves, err := os.Create(path + ".leaves")
	if err != nil {
		t.Fatal(err)
	}
	defer leaves.Close()
	l := tlogtest.New(t)
	buf := bufio.NewWriterSize(leaves, 1<<20)
	l.Boot()
	for i := 0; ; {
		for j := range l.Leaves {
			fmt.Fprintf(buf, "%05d%05d", len(l.Leaves[j]), len(l.Addenda[j]))
			buf.Write(l.Leaves[j])
			buf.Write(l.Addenda[j])
		}
		l.Leaves, l.Addenda = l.Leaves[:0], l.Addenda[:0]
		if i++; i == n {
			break
		}
		l.Say([]string{"message", "model", "reply"}[i%3], strings.Repeat("words and ", 20))
	}
	if err := buf.Flush(); err != nil {
		t.Fatal(err)
	}
	copyLarge(t, l, leaves, path)
	return l.Origin
}

func copyLarge(t *testing.T, l *tlogtest.Log, leaves *os.File, path string) {
	t.Helper()
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	buf := bufio.NewWriterSize(out, 1<<20)
	w, err := NewWriter(buf, Header{Origin: l.Origin, Size: l.Hashes.Size(), Query: Query{Contents: true}})
	if err != nil {
		t.Fatal(err)
	}
	w.Evidence(tlogtest.Evidence(0))
	w.Checkpoint(l.Checkpoint())
	w.Kinds(l.Kinds.Append(nil))
	leaves.Seek(0, io.SeekStart)
	in := bufio.NewReaderSize(leaves, 1<<20)
	for range l.Hashes.Size() {
		head := make([]byte, 10)
		io.ReadFull(in, head)
		a, _ := strconv.Atoi(string(head[:5]))
		b, _ := strconv.Atoi(string(head[5:]))
		body := make([]byte, a+b)
		if _, err := io.ReadFull(in, body); err != nil {
			t.Fatal(err)
		}
		item := tlog.Item{Leaf: body[:a]}
		if b > 0 {
			item.Status, item.Addendum = tlog.StatusDisclosed, body[a:]
		}
		w.Entry(item)
	}
	if err := errors.Join(w.Close(), buf.Flush()); err != nil {
		t.Fatal(err)
	}
}

func auditFile(t *testing.T, path, origin string) *tlog.AuditReport {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	a, err := tlog.NewAuditor(tlog.AuditOptions{Origin: origin, LogKey: tlogtest.Pub(1), Kinds: r.Kinds, Window: r.Header.Query.Window, Contents: true})
	if err != nil {
		t.Fatal(err)
	}
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			return a.Finish(r.Checkpoint)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Add(item); err != nil {
			t.Fatal(err)
		}
	}
}

// resident returns the most memory this process ever had resident, in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc: ", err)
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}
