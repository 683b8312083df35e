package agent_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/agent/agenttest"
	"github.com/teapot-tee/teapot/agent/model"
)

// An agent that is closed ends between messages: what is in work is answered first, nothing new is begun, and afterwards it
// writes nothing.
func TestCloseWaitsForMessagesInWork(t *testing.T) {
	thinking, release := make(chan struct{}), make(chan struct{})
	var asked atomic.Bool
	a := agenttest.Start(t, func(c *agent.Config) {
		c.Model = agenttest.Model(func(ctx context.Context, r model.Request) (model.Response, error) {
			if asked.CompareAndSwap(false, true) { // the first waits, others do not
				close(thinking)
				<-release
			}
			return agenttest.Says("done")(ctx, r)
		})
	})
	in := agent.In{Room: room, User: user, Text: "hello"}
	answered, closed := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := a.Message(context.Background(), in)
		answered <- err
	}()
	<-thinking
	go func() { closed <- a.Close() }()
	for {
		if _, err := a.Message(t.Context(), agent.In{Room: room, User: user}); errors.Is(err, agent.ErrStopped) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-closed:
		t.Error("closed with a message in work")
	default:
	}
	close(release)
	if err := errors.Join(<-answered, <-closed); err != nil {
		t.Error(err)
	}
	size := a.Log().Size()
	if _, err := a.Message(t.Context(), in); !errors.Is(err, agent.ErrStopped) || a.Log().Size() != size {
		t.Errorf("after the end: %v, %d entries more", err, a.Log().Size()-size)
	}
}
