package actionlog

import (
	"context"
	"sync"

	"github.com/teapot-tee/teapot/tlog"
)

const (
	maxBatch      = 1024    // entries of one commit
	maxBatchBytes = 4 << 20 // content bytes of one commit, unless a single request has more
)

// request is one call of Append, Boot or Erase on its way through the committer.
type request struct {
	entries []*pending
	signer  *tlog.Signer           // of a boot request
	notes   *tlog.CheckpointSigner // of a boot request
	log     *Log                   // whose idempotency keys it holds
	proofs  []Proof
	err     error
	done    chan struct{}
}

func newRequest(n int) *request {
	return &request{entries: make([]*pending, 0, n), done: make(chan struct{})}
}

func (r *request) bytes() (n int) {
	for _, p := range r.entries {
		n += len(p.addendum) + len(p.stored.content)
	}
	return n
}

func (r *request) finish(err error) {
	r.err = err
	if err != nil && r.log != nil {
		r.log.idem.release(r)
	}
	close(r.done)
}

func (r *request) wait(ctx context.Context) ([]Proof, error) {
	select {
	case <-r.done:
		return r.proofs, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// queue holds what waits for the next commit of a log.
type queue struct {
	mu      sync.Mutex
	waiting []*request
	entries int
	limit   int
	listed  bool // the committer has this log in its list or in its hands
	onHold  int
	holder  chan struct{} // full while somebody holds the log
}

func (l *Log) enqueue(r *request) error {
	if err := l.store.Err(); err != nil {
		return err
	}
	q := &l.queue
	q.mu.Lock()
	if r.signer == nil && q.entries+len(r.entries) > q.limit && q.entries > 0 { // a crowd in front of a held log does not keep its boot leaf out
		q.mu.Unlock()
		return ErrBusy
	}
	if r.signer != nil {
		q.waiting = append([]*request{r}, q.waiting...)
	} else {
		q.waiting = append(q.waiting, r)
	}
	q.entries += len(r.entries)
	wake := !q.listed && q.ready()
	q.listed = q.listed || wake
	q.mu.Unlock()
	if wake {
		l.store.commit.add(l)
	}
	return nil
}

// ready reports whether the next commit has something to do. A hold lets only a boot request pass. q.mu is held.
func (q *queue) ready() bool {
	return len(q.waiting) > 0 && (q.onHold == 0 || q.waiting[0].signer != nil)
}

// take removes the requests of the next commit: all that wait, within the limits. A boot request goes alone, since it
// changes the keys.
func (q *queue) take() []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, entries, size := 0, 0, 0
	for q.ready() && n < len(q.waiting) {
		r := q.waiting[n]
		boot := r.signer != nil
		if n > 0 && (boot || entries+len(r.entries) > maxBatch || size+r.bytes() > maxBatchBytes) {
			break
		}
		n, entries, size = n+1, entries+len(r.entries), size+r.bytes()
		if boot {
			break
		}
	}
	batch := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	q.entries -= entries
	return batch
}

// rest reports whether the committer must come again; if not, the log leaves its hands.
func (q *queue) rest() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.listed = q.ready()
	return q.listed
}

// Hold keeps the log still until release is called: entries queue, only Boot passes. It returns the log as it stands,
// for an agent part of a boot statement whose quote takes its time. One holds at a time: the boot leaf of one must not pass
// while another rolls segments.
func (l *Log) Hold(ctx context.Context) (now Found, release func(), err error) {
	q := &l.queue
	select {
	case q.holder <- struct{}{}:
	case <-ctx.Done():
		return Found{}, nil, ctx.Err()
	}
	q.mu.Lock()
	q.onHold++
	q.mu.Unlock()
	release = sync.OnceFunc(l.releaseHold)
	if err := l.idle(ctx); err != nil {
		release()
		return Found{}, nil, err
	}
	h := l.head.Load()
	now = Found{Size: h.size, Root: h.root, LastTime: h.time, Checkpoint: h.checkpoint, BootNumber: l.boot + 1}
	if !h.booted {
		now = l.found
	}
	return now, release, nil
}

func (l *Log) releaseHold() {
	q := &l.queue
	q.mu.Lock()
	q.onHold--
	<-q.holder
	wake := !q.listed && q.ready()
	q.listed = q.listed || wake
	q.mu.Unlock()
	if wake {
		l.store.commit.add(l)
	}
}

// abandon answers what nobody will commit any more: entries behind a hold when the store closes.
func (q *queue) abandon(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	finishAll(q.waiting, err)
	q.waiting = nil
}
