package limit

import (
	"net/http"
	"sync"
)

// Open bounds what is held open at once: answers that last as long as their readers like and cost memory all the while. One
// connection can carry hundreds of them (HTTP/2). The zero fields mean 512 for all, 64 for one address. Safe for concurrent use.
type Open struct {
	Most, Share int

	mu    sync.Mutex
	total int
	of    map[string]int
}

// Enter takes a place; leave gives it back, once. Peers on the same machine speak for many and are bounded by the total only.
func (o *Open) Enter(r *http.Request) (leave func(), ok bool) {
	client, local := Client(r), Local(r)
	o.mu.Lock()
	defer o.mu.Unlock()
	most, share := o.Most, o.Share
	if most == 0 {
		most, share = 512, 64
	}
	if o.total >= most || !local && o.of[client] >= share {
		return nil, false
	}
	if o.of == nil {
		o.of = map[string]int{}
	}
	o.total++
	o.of[client]++
	return sync.OnceFunc(func() { o.leave(client) }), true
}

func (o *Open) leave(client string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.total--
	if o.of[client]--; o.of[client] == 0 {
		delete(o.of, client)
	}
}
