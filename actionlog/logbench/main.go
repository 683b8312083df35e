//go:build linux

// Command logbench measures the action log and prints the raw limits of the same machine beside it, in one run.
//
//	go run ./actionlog/logbench            # about two minutes, one million entries
//	go run ./actionlog/logbench -entries 100000
//
// It trusts nothing and proves nothing: figures of a busy machine are figures of a busy machine, so the load is printed.
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/tlog"
)

const agent = "b850bc30-45f8-0041-a00a-83df46d8555d"

type bench struct {
	ctx     context.Context
	dir     string
	entries int
	keys    keys
	limits  limits
}

type keys struct{ log, boot, agent ed25519.PrivateKey }

func main() {
	entries := flag.Int("entries", 1_000_000, "entries of the large log")
	dir := flag.String("dir", "", "where to write; default: a temporary directory")
	reopen := flag.String("reopen", "", "internal: open the log in this directory, print time and memory")
	many := flag.String("many", "", "internal: run the 500 logs in this directory")
	flag.Parse()
	if err := run(*dir, *reopen, *many, *entries); err != nil {
		fmt.Fprintln(os.Stderr, "logbench:", err)
		os.Exit(1)
	}
}

func run(dir, reopen, many string, entries int) error {
	b := &bench{ctx: context.Background(), entries: entries, keys: keys{key(1), key(2), key(3)}}
	if reopen != "" {
		b.dir = reopen
		return b.reopened()
	}
	if many != "" {
		b.dir = many
		return b.manyLogs()
	}
	if dir == "" {
		tmp, err := os.MkdirTemp("", "logbench")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		dir = tmp
	}
	b.dir = dir
	load, _ := os.ReadFile("/proc/loadavg") // informative only
	fmt.Printf("machine: %d cores, %s, load %s\n", runtime.GOMAXPROCS(0), runtime.Version(), strings.TrimSpace(string(load)))
	for _, step := range []func() error{b.raw, b.oneClient, b.growth, b.queries, b.restart, b.many} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func key(n byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = n
	return ed25519.NewKeyFromSeed(seed)
}

func (b *bench) open(dir string) (*actionlog.Store, *actionlog.Log, error) {
	s, err := actionlog.Open(actionlog.Options{Dir: dir, Platform: "bench", IndexKey: [32]byte{1}})
	if err != nil {
		return nil, nil, err
	}
	l, err := s.OpenLog(actionlog.LogOptions{Agent: agent, LogKey: b.keys.log, StorageKey: [32]byte{2}, PrivacyKey: [32]byte{3}})
	return s, l, err
}

func (b *bench) start(dir string) (*actionlog.Store, *actionlog.Log, error) {
	s, l, err := b.open(dir)
	if err != nil {
		return s, l, err
	}
	_, err = l.Boot(b.ctx, actionlog.Boot{BootKey: b.keys.boot, AgentKey: b.keys.agent, Statement: []byte("s"), Part: []byte("p"), Evidence: []byte("e")})
	return s, l, err
}

// entry n: 1 KiB of content, 16 rooms, 8 types.
func entry(n int, content []byte) actionlog.Entry {
	types := [...]string{"message", "reply", "model", "action", "memory", "evaluation", "intent", "note"}
	return actionlog.Entry{
		Type: types[n%len(types)], Room: fmt.Sprintf("room-%d", n%16), User: fmt.Sprintf("user-%d", n%64),
		Source: tlog.SourceRuntime, MediaType: "text/plain", Content: content,
	}
}

func content() []byte {
	b := make([]byte, 512)
	rand.Read(b)
	return fmt.Appendf(nil, "%x", b)
}

func row(what, got, want, raw string) { fmt.Printf("%-46s %22s  %-18s %s\n", what, got, want, raw) }

func verdict(ok bool) string {
	if ok {
		return "met"
	}
	return "NOT MET"
}

func rss() string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "?"
	}
	for line := range strings.Lines(string(status)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			var kb int
			if _, err := fmt.Sscan(v, &kb); err == nil {
				return fmt.Sprintf("%d MB", kb>>10)
			}
		}
	}
	return "?"
}

// restart opens the large log in a process of its own, so that its memory is its own.
func (b *bench) restart() error { return b.again("-reopen", filepath.Join(b.dir, "large")) }

func (b *bench) many() error { return b.again("-many", b.dir) }

func (b *bench) again(args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(b.ctx, self, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

func (b *bench) reopened() error {
	begin := time.Now()
	s, l, err := b.open(b.dir)
	if err != nil {
		return err
	}
	took := time.Since(begin)
	if _, err := l.Query(b.ctx, actionlog.Query{Newest: true, Limit: 10, Types: []string{"action"}}); err != nil {
		return err
	}
	row(fmt.Sprintf("restart with %d entries", l.Size()), took.Round(time.Millisecond).String(), "≤ 3 s "+verdict(took <= 3*time.Second), "RSS "+rss()+" (≤ 150 MB)")
	return s.Close()
}
