package agent

import (
	"context"
	"errors"
	"time"
)

// ErrStopped is returned by an agent that was closed: another may be in its place in a moment.
var ErrStopped = errors.New("the agent was stopped")

// grace is how long Close lets messages in work finish before it ends them.
const grace = 5 * time.Second

// begin takes a message into work. Whoever closes the agent waits for it: what it records is said by this character under
// the boot statement that names it.
func (a *Agent) begin(ctx context.Context) (turn context.Context, end func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closing {
		return nil, nil, ErrStopped
	}
	a.turns.Add(1)
	turn, cancel := context.WithTimeout(ctx, a.config.Timeout)
	release := context.AfterFunc(a.cutting, cancel)
	return turn, func() {
		release()
		cancel()
		a.turns.Done()
	}, nil
}

// Close takes no new message, waits for those in work, and ends background work and services: when it returns the agent
// writes nothing any more. It closes neither the log nor the memory: those were given.
func (a *Agent) Close() error {
	a.mu.Lock()
	again := a.closing
	a.closing = true
	a.mu.Unlock()
	if again {
		return nil
	}
	patience := time.AfterFunc(grace, a.cut)
	a.turns.Wait()
	patience.Stop()
	a.cut()
	a.stop()
	a.stopped.Wait()
	return a.stopServices()
}
