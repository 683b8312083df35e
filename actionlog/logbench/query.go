//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/bundle"
	"github.com/teapot-tee/teapot/tlog"
)

// queries measures pages, proofs and the audit of the large log.
func (b *bench) queries() error {
	s, l, err := b.open(filepath.Join(b.dir, "large"))
	if err != nil {
		return err
	}
	if err := b.pages(l); err != nil {
		return err
	}
	if err := b.proofs(l); err != nil {
		return err
	}
	if err := b.audit(l); err != nil {
		return err
	}
	return s.Close()
}

func (b *bench) pages(l *actionlog.Log) error {
	first, err := l.Entry(b.ctx, 0)
	if err != nil {
		return err
	}
	from, span := int64(first.Leaf.Time), int64(l.Stats().Time-first.Leaf.Time)
	var times []time.Duration
	for i := range 2000 {
		q := actionlog.Query{Limit: 10, Newest: i%2 == 0, Viewer: actionlog.Viewer{Owner: true}}
		at := time.UnixMicro(from + rand.Int64N(span+1))
		switch i % 4 {
		case 0:
			q.Until, q.Types = at, []string{"action"}
		case 1:
			q.Since, q.Types = at, []string{"message"}
		case 2:
			q.Until, q.Room = at, "room-3"
		case 3:
			q.Since = at
		}
		begin := time.Now()
		if _, err := l.Query(b.ctx, q); err != nil {
			return err
		}
		times = append(times, time.Since(begin))
	}
	slices.Sort(times)
	p99 := times[len(times)*99/100]
	row(fmt.Sprintf("page of 10 by type, room, time at %d, p50 (p99)", l.Size()), fmt.Sprintf("%v (%v)", times[len(times)/2].Round(time.Microsecond), p99.Round(time.Microsecond)), "p99 ≤ 1 ms "+verdict(p99 <= time.Millisecond), "contents decrypted and checked")
	begin := time.Now()
	q := actionlog.Query{Text: "no such text anywhere", Viewer: actionlog.Viewer{Owner: true}}
	for more := true; more; more = q.Cursor != "" { // a search hands back empty pages with cursors
		page, err := l.Query(b.ctx, q)
		if err != nil {
			return err
		}
		q.Cursor = page.Next
	}
	row("substring in no entry, whole log", time.Since(begin).Round(time.Millisecond).String(), "", "")
	return nil
}

func (b *bench) proofs(l *actionlog.Log) error {
	size := l.Size()
	p := median(4001, func() {
		if _, err := l.InclusionProof(rand.Uint64N(size), size); err != nil {
			panic(err)
		}
	})
	row(fmt.Sprintf("proof of any entry at %d", size), p.String(), "≤ 100 µs "+verdict(p <= 100*time.Microsecond), "")
	return nil
}

// audit walks the whole log as a reader does: bundle, every signature, every hash, every content.
func (b *bench) audit(l *actionlog.Log) error {
	var buf bytes.Buffer
	begin := time.Now()
	if err := l.Bundle(b.ctx, &buf, actionlog.Extract{}); err != nil {
		return err
	}
	exported := time.Since(begin)
	begin = time.Now()
	used := cpu()
	r, err := bundle.NewReader(bytes.NewReader(buf.Bytes()))
	if err != nil {
		return err
	}
	a, err := tlog.NewAuditor(tlog.AuditOptions{Origin: l.Origin(), LogKey: l.LogKey()})
	if err != nil {
		return err
	}
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := a.Add(item); err != nil {
			return err
		}
	}
	report := a.Finish(r.Checkpoint)
	took := time.Since(begin)
	each := (cpu() - used) / time.Duration(l.Size())
	if !report.OK() {
		return fmt.Errorf("the audit failed: %+v", report.Checks)
	}
	rate := float64(l.Size()) / took.Seconds()
	limit := float64(runtime.GOMAXPROCS(0)) / b.limits.verify.Seconds()
	row(fmt.Sprintf("full audit of %d entries", l.Size()), fmt.Sprintf("%.0f/s in %v", rate, took.Round(time.Millisecond)), fmt.Sprintf("≥ 0.85 is %.2f %s", rate/limit, verdict(rate/limit >= 0.85)), fmt.Sprintf("limit %.0f/s; %.1f µs of CPU each, %.2f of the limit in CPU; bundle of %d MB written in %v", limit, float64(each.Nanoseconds())/1000, b.limits.verify.Seconds()/each.Seconds(), buf.Len()>>20, exported.Round(time.Millisecond)))
	return nil
}
