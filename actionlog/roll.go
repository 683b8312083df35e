package actionlog

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/teapot-tee/teapot/actionlog/segment"
)

// ensureSegment opens this start's first segment with the first commit, and the next one when one is full.
func (l *Log) ensureSegment() error {
	if l.writer != nil && !l.writer.Full() {
		return nil
	}
	return l.roll()
}

// roll closes the current segment and opens the next one, with keys of its own. The content keys come first: a
// segment without them does not exist.
func (l *Log) roll() error {
	if l.writer != nil {
		l.prev = l.writer.Last()
	} else {
		rand.Read(l.bootID[:])
		if err := l.store.fs.MkdirAll(l.dir); err != nil {
			return fmt.Errorf("making the log's directory: %w", err)
		}
		if err := l.store.fs.SyncDir("logs"); err != nil {
			return fmt.Errorf("syncing the log's directory: %w", err)
		}
	}
	h := segment.Header{Origin: l.hash, Number: uint64(len(l.segs)) + 1, Boot: l.bootID, First: l.hashes.Size(), Root: l.hashes.Root(), Prev: l.prev}
	keys, err := segment.NewContentKeys(l.store.fs, l.dir, l.keys, h)
	if err != nil {
		return fmt.Errorf("making content keys: %w", err)
	}
	w, err := segment.Create(l.store.fs, l.dir, l.keys, h, l.store.opts.Grow)
	if err != nil {
		return err
	}
	return l.adopt(w, keys)
}

func (l *Log) adopt(w *segment.Writer, keys *segment.ContentKeys) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	if l.writer != nil {
		err = errors.Join(l.writer.Trim(), l.segs[len(l.segs)-1].reader.Release())
	}
	l.writer = w
	l.segs = append(l.segs, newSeg(w.Reader(), keys))
	return err
}

// idle waits until the committer has left the log.
func (l *Log) idle(ctx context.Context) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		l.queue.mu.Lock()
		busy := l.queue.listed
		l.queue.mu.Unlock()
		if !busy {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
