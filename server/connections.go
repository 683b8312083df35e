package server

import (
	"net"
	"net/netip"
	"sync"

	"github.com/teapot-tee/teapot/server/limit"
)

// Connections that strangers may hold open at once: streams and slow readers keep theirs for as long as they like, and each costs a
// file descriptor that the log needs to stay durable.
const (
	maxConnections = 4096
	addressShare   = 8 // one address gets an eighth
)

// bounded closes at once what is beyond its limits, so that whoever holds many connections spends only their own share.
// Peers on the same machine and trusted proxies speak for many: they are bounded by the total only, and whom they name by behind.
type bounded struct {
	net.Listener
	most, share int
	proxies     limit.Proxies

	mu    sync.Mutex
	total int
	open  map[string]int // by IPv4 address or IPv6 /64: who has one address of a /64 has them all
}

func newBounded(l net.Listener, most int) *bounded {
	return &bounded{Listener: l, most: most, share: max(1, most/addressShare), open: map[string]int{}}
}

// Bound bounds the connections of a unix socket that other processes on this machine may reach, to an eighth of the files: a neighbour
// that takes what it can get must not take those that the log needs.
func Bound(l net.Listener) net.Listener { return newBounded(l, max(1, connections()/4)) }

// connections is how many fit beside the files that the process itself needs.
func connections() int {
	files := openFiles()
	if files == 0 {
		return maxConnections
	}
	return max(1, int(min(maxConnections, files/2)))
}

// Accept returns the next connection within the limits.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		address := c.RemoteAddr().String()
		if !b.take(address) {
			_ = c.Close() // nothing was promised to it
			continue
		}
		return &counted{Conn: c, leave: sync.OnceFunc(func() { b.give(address) })}, nil
	}
}

func (b *bounded) take(remote string) bool {
	address, many := limit.Household(remote), b.many(remote)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.total >= b.most || b.open[address] >= b.share && !many {
		return false
	}
	b.total++
	b.open[address]++
	return true
}

// behind takes a part of the share of a client whose connection, already counted, came through a proxy; leave gives it back.
func (b *bounded) behind(client string) (leave func(), ok bool) {
	address := limit.Household(client)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open[address] >= b.share {
		return nil, false
	}
	b.open[address]++
	return sync.OnceFunc(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.less(address)
	}), true
}

func (b *bounded) many(remote string) bool {
	ap, err := netip.ParseAddrPort(remote)
	return err != nil || ap.Addr().Unmap().IsLoopback() || b.proxies.Trusts(ap.Addr()) // a unix peer has no address
}

func (b *bounded) give(remote string) {
	address := limit.Household(remote)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.total--
	b.less(address)
}

// less counts one connection less of an address. Callers hold mu.
func (b *bounded) less(address string) {
	if b.open[address]--; b.open[address] == 0 {
		delete(b.open, address)
	}
}

// counted gives its place back when it closes.
type counted struct {
	net.Conn
	leave func()
}

// Close closes the connection.
func (c *counted) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
