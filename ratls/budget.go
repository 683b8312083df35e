package ratls

import (
	"sync"
	"time"
)

// Budget is a token bucket for quotes. Safe for concurrent use; the zero Budget gives nothing.
type Budget struct {
	Burst  int           // most tokens at once
	Refill time.Duration // time per token

	mu     sync.Mutex
	tokens float64
	last   time.Time
}

// DefaultBudget allows 60 quotes at once and 5 per second in the long run.
func DefaultBudget() *Budget { return &Budget{Burst: 60, Refill: 200 * time.Millisecond} }

// Take takes one token, or says how long to wait for the next. Time that goes backwards refills nothing.
func (b *Budget) Take(now time.Time) (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Refill <= 0 {
		return time.Hour
	}
	if b.last.IsZero() {
		b.tokens, b.last = float64(b.Burst), now
	}
	if now.After(b.last) {
		b.tokens = min(float64(b.Burst), b.tokens+float64(now.Sub(b.last))/float64(b.Refill))
		b.last = now
	}
	if b.tokens < 1 {
		return time.Duration((1 - b.tokens) * float64(b.Refill))
	}
	b.tokens--
	return 0
}
