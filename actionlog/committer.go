package actionlog

import "sync"

// committer commits all logs that have entries waiting, several at a time: its workers spend most of their time
// waiting for the disk, which takes the syncs of many files together.
type committer struct {
	mu     sync.Mutex
	more   sync.Cond
	dirty  []*Log // each at most once, in the order they became dirty
	closed bool
	done   sync.WaitGroup
}

const commitWorkers = 16

func newCommitter() *committer {
	c := &committer{}
	c.more.L = &c.mu
	for range commitWorkers {
		c.done.Go(c.work)
	}
	return c
}

// add marks a log as having entries. The log makes sure that it is added once until its commit begins.
func (c *committer) add(l *Log) {
	c.mu.Lock()
	c.dirty = append(c.dirty, l)
	c.mu.Unlock()
	c.more.Signal()
}

func (c *committer) work() {
	for {
		c.mu.Lock()
		for len(c.dirty) == 0 && !c.closed {
			c.more.Wait()
		}
		if len(c.dirty) == 0 {
			c.mu.Unlock()
			return
		}
		l := c.dirty[0]
		c.dirty = c.dirty[1:]
		c.mu.Unlock()
		if l.commitQueued() {
			c.add(l)
		}
	}
}

// close lets the workers finish what is queued and waits for them.
func (c *committer) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.more.Broadcast()
	c.done.Wait()
}
