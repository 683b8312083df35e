package ratls

import (
	"crypto/sha256"
	"sync"
	"time"
)

// replays remembers which encapsulated keys were used. Each is random and used once, so a second use is a repeat.
//
// EHBP requests carry no time, so the memory for them is bounded by number: the newest half to whole million of this
// start. Teapot's own suite carries a time under the seal; what is older than the window is refused by that, so its memory
// is bounded by time and never forgets a request that could still be repeated.
type replays struct {
	limit  int           // per generation
	window time.Duration // 0: rotate by number only

	mu       sync.Mutex
	now, old map[[16]byte]struct{}
	since    time.Time
}

const (
	replayLimit  = 1 << 19
	replayWindow = 5 * time.Minute
)

// use notes an encapsulated key; false means repeated, or that the memory is full within its window.
func (r *replays) use(enc []byte, at time.Time) bool {
	sum := sha256.Sum256(enc)
	id := [16]byte(sum[:16])
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.room(at) {
		return false
	}
	if _, again := r.now[id]; again {
		return false
	}
	if _, again := r.old[id]; again {
		return false
	}
	r.now[id] = struct{}{}
	return true
}

// room rotates the generations when it may. A generation is twice the window: a time may be off by the window both ways.
func (r *replays) room(at time.Time) bool {
	full := len(r.now) >= r.limit
	due := r.window > 0 && at.Sub(r.since) > 2*r.window
	if r.now == nil || due || full && r.window == 0 {
		r.old, r.now, r.since = r.now, map[[16]byte]struct{}{}, at
		return true
	}
	return !full
}
