package eliza

import (
	"crypto/sha256"
	"net/http"
	"sync"
	"time"

	"github.com/teapot-tee/teapot/server/express"
	"github.com/teapot-tee/teapot/server/limit"
)

// Limits bound what strangers may ask for. The token's holder and peers on the same machine are not limited in rate.
type Limits struct {
	Rate      float64       // messages per second and address; 0 = 10
	Burst     float64       // at once; 0 = 50
	Busy      int           // messages in work at once; 0 = 256
	Rooms     int           // new rooms per address and hour; 0 = 200
	Body      int64         // bytes of a JSON or urlencoded body; 0 = 100 kB, as Eliza
	Wait      time.Duration // for a place among Busy; 0 = 10 s
	Everybody bool          // limit peers on the same machine too
}

// gate applies limits.
type gate struct {
	Limits
	addresses limit.PerAddress
	rooms     limit.PerAddress
	busy      chan struct{}

	mu   sync.Mutex
	seen map[[32]byte]struct{} // SHA-256 of agent, room and user; bounded
}

const maxSeen = 1 << 16

func newGate(l Limits) *gate {
	if l.Rate <= 0 {
		l.Rate = 10
	}
	if l.Burst <= 0 {
		l.Burst = 50
	}
	if l.Busy <= 0 {
		l.Busy = 256
	}
	if l.Rooms <= 0 {
		l.Rooms = 200
	}
	if l.Body <= 0 {
		l.Body = 100 << 10
	}
	if l.Wait <= 0 {
		l.Wait = 10 * time.Second
	}
	return &gate{
		Limits: l, addresses: limit.PerAddress{Rate: l.Rate, Burst: l.Burst}, busy: make(chan struct{}, l.Busy),
		rooms: limit.PerAddress{Rate: float64(l.Rooms) / 3600, Burst: float64(l.Rooms)}, seen: map[[32]byte]struct{}{},
	}
}

// refusal says why a message is not taken; "" takes it.
func (g *gate) refusal(r *http.Request, trusted bool, agent, room string, now time.Time) string {
	if trusted || !g.Everybody && limit.Local(r) {
		g.fresh(agent, room)
		return ""
	}
	if !g.addresses.Allow(r, now) {
		return "too many messages from this address; wait a few seconds"
	}
	if g.fresh(agent, room) && !g.rooms.Allow(r, now) {
		return "too many new rooms from this address; go on in one that exists"
	}
	return ""
}

// fresh says whether a room was not seen before with this user: each may get a room of their own beside it. When too many were seen it starts over, which only ever counts more.
func (g *gate) fresh(agent, room string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := sha256.Sum256([]byte(agent + "/" + room))
	if _, known := g.seen[key]; known {
		return false
	}
	if len(g.seen) >= maxSeen {
		clear(g.seen)
	}
	g.seen[key] = struct{}{}
	return true
}

// enter takes a place among those in work; leave gives it back. ok is false when none came free in time.
func (g *gate) enter(r *http.Request) (leave func(), ok bool) {
	timer := time.NewTimer(g.Wait)
	defer timer.Stop()
	select {
	case g.busy <- struct{}{}:
		return func() { <-g.busy }, true
	case <-timer.C:
	case <-r.Context().Done():
	}
	return nil, false
}

// guarded lets only the holder of the token through.
func (s *routes) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.Token.Authorized(r) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="teapot"`)
			express.Fail(w, http.StatusUnauthorized, "this changes the agents: send the token that was printed at start as \"Authorization: Bearer …\"")
			return
		}
		next(w, r)
	}
}
