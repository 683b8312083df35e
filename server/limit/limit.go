// Package limit bounds what strangers may ask for: requests per address and per second, and a global budget for dear work
// such as quotes. It trusts the transport's remote address, and X-Forwarded-For only from the proxies that the operator named.
package limit

import (
	"net/http"
	"sync"
	"time"
)

// Bucket is a token bucket: Rate per second, at most Burst at once. Safe for concurrent use.
type Bucket struct {
	Rate  float64
	Burst float64

	mu    sync.Mutex
	level float64
	last  time.Time
}

// Allow takes one token if there is one at the time now.
func (b *Bucket) Allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last.IsZero() {
		b.level = b.Burst
	} else if d := now.Sub(b.last).Seconds(); d > 0 {
		b.level = min(b.Burst, b.level+d*b.Rate)
	}
	b.last = now
	if b.level < 1 {
		return false
	}
	b.level--
	return true
}

// PerAddress keeps one Bucket for each remote address, forgetting the idle ones. The zero Max keeps 10,000.
type PerAddress struct {
	Rate  float64
	Burst float64
	Max   int

	mu      sync.Mutex
	buckets map[string]*Bucket
}

// Allow takes one token of the request's remote address.
func (p *PerAddress) Allow(r *http.Request, now time.Time) bool {
	return p.bucket(Client(r), now).Allow(now)
}

func (p *PerAddress) bucket(key string, now time.Time) *Bucket {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.buckets == nil {
		p.buckets = map[string]*Bucket{}
	}
	if b := p.buckets[key]; b != nil {
		return b
	}
	if len(p.buckets) >= p.most() {
		p.forgetIdle(now)
	}
	b := &Bucket{Rate: p.Rate, Burst: p.Burst}
	p.buckets[key] = b
	return b
}

func (p *PerAddress) most() int {
	if p.Max > 0 {
		return p.Max
	}
	return 10_000
}

// forgetIdle drops the addresses whose bucket is full again; if all are busy it starts over, which only ever admits more.
func (p *PerAddress) forgetIdle(now time.Time) {
	for key, b := range p.buckets {
		b.mu.Lock()
		idle := now.Sub(b.last).Seconds()*b.Rate >= b.Burst
		b.mu.Unlock()
		if idle {
			delete(p.buckets, key)
		}
	}
	if len(p.buckets) >= p.most() {
		clear(p.buckets)
	}
}
