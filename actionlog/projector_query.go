package actionlog

import (
	"context"
	"fmt"

	"github.com/teapot-tee/teapot/actionlog/index"
)

// Reindex deletes the query index and builds it anew from the frames, in the background.
func (s *Store) Reindex() {
	s.index.mu.Lock()
	defer s.index.mu.Unlock()
	if s.index.err == nil && s.index.x != nil {
		s.index.rebuild()
	}
}

// wait returns when the index holds the first n entries of a log.
func (p *projector) wait(ctx context.Context, l *Log, n uint64) error {
	for {
		p.mu.Lock()
		pr, err := p.logs[l], p.err
		if err != nil {
			p.mu.Unlock()
			return fmt.Errorf("no query index: %w", err)
		}
		if pr.applied >= n {
			p.mu.Unlock()
			return nil
		}
		changed := pr.changed
		p.mu.Unlock()
		p.nudge(p.wake)
		p.nudge(p.urgent)
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the query index: %w", ctx.Err())
		case <-p.stop:
			return ErrStopped
		}
	}
}

// use gives a query the index and the log's id in it.
func (p *projector) use(l *Log) (*index.Index, int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return nil, 0, fmt.Errorf("no query index: %w", p.err)
	}
	return p.x, p.logs[l].id, nil
}

func (p *projector) byKey(l *Log, key [16]byte) (uint64, bool, error) {
	x, id, err := p.use(l)
	if err != nil {
		return 0, false, err
	}
	return x.ByKey(id, key)
}
