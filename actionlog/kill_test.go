package actionlog_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/tlog"
)

// killedChild is what the test binary does when TestKillNine runs it as a child: append from several goroutines, print
// what was acknowledged, until it is killed.
func killedChild(dir string, start int) error {
	s, err := actionlog.Open(storeOptions(dir))
	if err != nil {
		return err
	}
	l, err := s.OpenLog(logOptions(agentID))
	if err != nil {
		return err
	}
	ctx := context.Background()
	if _, err := l.Boot(ctx, bootOf(start%100)); err != nil {
		return err
	}
	fmt.Println("ready")
	var out sync.Mutex
	var wg sync.WaitGroup
	for c := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				p, err := l.Append(ctx, message(fmt.Sprint("room", c), strings.Repeat("x", 1+i*37%3000)))
				if err != nil {
					panic(err)
				}
				out.Lock()
				fmt.Println("acked", p[0].Index, p[0].LeafHash)
				out.Unlock()
				if i%50 == 49 && c == 0 {
					if _, err := l.Erase(ctx, actionlog.Erasure{Targets: []uint64{p[0].Index}, Requester: tlog.RequesterOperator, Reason: "test"}); err != nil {
						panic(err)
					}
					out.Lock()
					fmt.Println("erased", p[0].Index, p[0].LeafHash)
					out.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return nil
}

// TestKillNine kills a writing process at random moments, 25 times by default and 1,000 times with make suites, all in
// one log: whatever was acknowledged before any of the kills is there, in order and provable.
func TestKillNine(t *testing.T) {
	if dir := os.Getenv("TEAPOT_KILLED_CHILD"); dir != "" {
		start, _ := strconv.Atoi(os.Getenv("TEAPOT_KILLED_START"))
		if err := killedChild(dir, start); err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(3)
		}
	}
	dir, acked, gone := t.TempDir(), map[uint64]string{}, map[uint64]bool{}
	r := rand.New(rand.NewPCG(5, 6))
	kills := scale(25)
	for n := range kills {
		killOne(t, dir, n, time.Duration(r.IntN(60))*time.Millisecond, acked, gone)
	}
	s := openStore(t, storeOptions(dir))
	defer s.Close()
	l := openLog(t, s)
	for i, hash := range acked {
		it, err := l.Entry(t.Context(), i)
		if err != nil {
			t.Fatalf("acknowledged entry %d is gone: %v", i, err)
		}
		if it.Hash.String() != hash {
			t.Fatalf("acknowledged entry %d is another one", i)
		}
		if gone[i] && it.State != actionlog.ContentErased {
			t.Fatalf("erased entry %d is %s", i, it.State)
		}
	}
	boot(t, l, 0)
	if report := known(t, l); !report.OK() || len(report.Starts) != kills+1 {
		t.Errorf("%d starts; %s", len(report.Starts), failures(report))
	}
	t.Logf("%d kills, %d entries acknowledged, %d in the log", kills, len(acked), l.Size())
}

func killOne(t *testing.T, dir string, n int, after time.Duration, acked map[uint64]string, gone map[uint64]bool) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKillNine$")
	child.Env = append(os.Environ(), "TEAPOT_KILLED_CHILD="+dir, "TEAPOT_KILLED_START="+strconv.Itoa(n))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	ready := false
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) == 1 && f[0] == "ready":
			ready = true
			time.AfterFunc(after, func() { _ = child.Process.Kill() })
		case len(f) == 3 && len(f[2]) == hex.EncodedLen(sha256.Size):
			i, err := strconv.ParseUint(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			acked[i] = f[2]
			gone[i] = gone[i] || f[0] == "erased"
		}
	}
	_ = child.Wait() // killed, as it should be
	if !ready {
		t.Fatalf("start %d was refused", n)
	}
}
