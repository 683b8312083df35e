package dcap

import (
	"crypto/sha256"
	"sync"
)

// key is the SHA-256 of the exact bytes that an entry speaks of, trust root included. (Collateral is keyed by the
// bytes themselves: hashing 30 kB costs more than comparing them.)
type key [32]byte

// keyOf hashes parts with their lengths, so that no two lists of parts collide.
func keyOf(kind byte, parts ...[]byte) key {
	h := sha256.New()
	var n [9]byte
	n[0] = kind
	h.Write(n[:1])
	for _, p := range parts {
		for i := range 8 {
			n[1+i] = byte(len(p) >> (8 * i))
		}
		h.Write(n[1:])
		h.Write(p)
	}
	var k key
	h.Sum(k[:0])
	return k
}

// cache is a bounded map of two generations: when the young one is full it becomes the old one and the old one is
// forgotten. Entries hold only what time does not change; validity windows are checked at every use.
type cache[K comparable, T any] struct {
	mu         sync.Mutex // guards young and old
	young, old map[K]T
}

func (c *cache[K, T]) get(k K, limit int) (T, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.young[k]; ok {
		return v, true
	}
	v, ok := c.old[k]
	if ok {
		c.store(k, v, limit)
	}
	return v, ok
}

func (c *cache[K, T]) put(k K, v T, limit int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store(k, v, limit)
}

func (c *cache[K, T]) store(k K, v T, limit int) {
	if c.young == nil || len(c.young) >= limit/2 {
		c.old, c.young = c.young, make(map[K]T)
	}
	c.young[k] = v
}
