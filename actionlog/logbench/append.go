//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
)

func (b *bench) oneClient() error {
	s, l, err := b.start(filepath.Join(b.dir, "one"))
	if err != nil {
		return err
	}
	text := content()
	var times []time.Duration
	for i := range 3000 {
		begin := time.Now()
		if _, err := l.Append(b.ctx, entry(i, text)); err != nil {
			return err
		}
		times = append(times, time.Since(begin))
	}
	slices.Sort(times)
	p50, p99 := times[len(times)/2], times[len(times)*99/100]
	bound := 2 * (b.limits.sync + b.limits.sign + b.limits.checkpoint)
	row("one client, p50 (p99)", fmt.Sprintf("%v (%v)", p50.Round(time.Microsecond), p99.Round(time.Microsecond)), fmt.Sprintf("≤ %v %s", bound.Round(time.Microsecond), verdict(p50 <= bound)), "2 × (fdatasync + signature + checkpoint)")
	return s.Close()
}

// growth fills the large log with 512 clients and reports at 10 k, 100 k and all entries.
func (b *bench) growth() error {
	s, l, err := b.start(filepath.Join(b.dir, "large"))
	if err != nil {
		return err
	}
	last := 0
	for _, at := range []int{10_000, 100_000, b.entries} {
		if at > b.entries || at == last {
			continue
		}
		used := cpu()
		acked, sustained, err := b.fill(l, at-last)
		if err != nil {
			return err
		}
		st, each := l.Stats(), (cpu()-used)/time.Duration(at-last)
		row(fmt.Sprintf("512 clients, 1 KiB, up to %d entries", at), fmt.Sprintf("%.0f/s acknowledged", acked), "≥ 30000/s "+verdict(acked >= 30000), fmt.Sprintf("RSS %s, %.0f bytes an entry, %.1f µs of CPU each with index and clients", rss(), st.PerEntry, float64(each.Nanoseconds())/1000))
		row("  with the index caught up", fmt.Sprintf("%.0f/s sustained", sustained), "≥ 24000/s "+verdict(sustained >= 24000), "")
		last = at
	}
	return s.Close()
}

// fill appends n entries with 512 clients, one in flight each; then it waits for the index.
func (b *bench) fill(l *actionlog.Log, n int) (acked, sustained float64, err error) {
	const clients = 512
	var next atomic.Int64
	var failed atomic.Value
	begin := time.Now()
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			text := content()
			for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
				if _, err := l.Append(b.ctx, entry(i, text)); err != nil {
					failed.Store(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err, ok := failed.Load().(error); ok {
		return 0, 0, err
	}
	acked = float64(n) / time.Since(begin).Seconds()
	if _, err := l.Query(b.ctx, actionlog.Query{Newest: true, Limit: 1}); err != nil {
		return 0, 0, err
	}
	return acked, float64(n) / time.Since(begin).Seconds(), nil
}

// manyLogs runs 500 logs with two entries a second each for a few seconds.
func (b *bench) manyLogs() error {
	s, err := actionlog.Open(actionlog.Options{Dir: filepath.Join(b.dir, "many"), Platform: "bench", IndexKey: [32]byte{1}})
	if err != nil {
		return err
	}
	const count = 500
	logs := make([]*actionlog.Log, count)
	begin := time.Now()
	for i := range logs {
		o := actionlog.LogOptions{Agent: fmt.Sprintf("b850bc30-45f8-0041-a00a-%012x", i), LogKey: b.keys.log, StorageKey: [32]byte{2}, PrivacyKey: [32]byte{3}}
		if logs[i], err = s.OpenLog(o); err != nil {
			return err
		}
		if _, err := logs[i].Boot(b.ctx, actionlog.Boot{BootKey: b.keys.boot, AgentKey: b.keys.agent}); err != nil {
			return err
		}
	}
	opened := time.Since(begin)
	times, err := b.tick(logs, 5*time.Second)
	if err != nil {
		return err
	}
	slices.Sort(times)
	rate := float64(len(times)) / 5
	row("500 logs × 2 entries/s", fmt.Sprintf("%.0f/s", rate), "1000/s "+verdict(rate > 950), fmt.Sprintf("p50 %v, p99 %v; opened in %v; RSS %s", times[len(times)/2].Round(time.Microsecond), times[len(times)*99/100].Round(time.Microsecond), opened.Round(time.Millisecond), rss()))
	return s.Close()
}

func (b *bench) tick(logs []*actionlog.Log, d time.Duration) (times []time.Duration, err error) {
	ctx, cancel := context.WithTimeout(b.ctx, d)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	text := content()
	for i, l := range logs {
		wg.Go(func() {
			time.Sleep(time.Duration(i) * time.Millisecond) // spread over the half second
			tick := time.NewTicker(500 * time.Millisecond)
			defer tick.Stop()
			for n := i; ctx.Err() == nil; n++ {
				begin := time.Now()
				_, e := l.Append(b.ctx, entry(n, text))
				mu.Lock()
				times, err = append(times, time.Since(begin)), errors.Join(err, e)
				mu.Unlock()
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
		})
	}
	wg.Wait()
	return times, err
}
