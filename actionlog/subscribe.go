package actionlog

import (
	"context"
	"sync"
)

// subscribers receive each acknowledged entry with its proof.
type subscribers struct {
	mu     sync.Mutex
	chans  map[chan Proof]struct{}
	closed bool
}

const subscriberBuffer = 4096

// Subscribe returns the proofs of entries acknowledged from now on, in order. The channel is closed when ctx ends, when
// the store closes, and when the receiver falls more than 4096 entries behind: nothing is skipped silently, the receiver
// reads on from the last index it has.
func (l *Log) Subscribe(ctx context.Context) <-chan Proof {
	c := make(chan Proof, subscriberBuffer)
	s := &l.subs
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		close(c)
		return c
	}
	if s.chans == nil {
		s.chans = map[chan Proof]struct{}{}
	}
	s.chans[c] = struct{}{}
	context.AfterFunc(ctx, func() { s.remove(c) })
	return c
}

func (s *subscribers) remove(c chan Proof) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.chans[c]; there {
		delete(s.chans, c)
		close(c)
	}
}

func (s *subscribers) publish(proofs []Proof) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.chans {
		if len(proofs) > cap(c)-len(c) {
			delete(s.chans, c)
			close(c)
			continue
		}
		for _, p := range proofs {
			c <- p
		}
	}
}

func (s *subscribers) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.chans {
		delete(s.chans, c)
		close(c)
	}
}
