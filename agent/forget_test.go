package agent_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/agent/agenttest"
	"github.com/teapot-tee/teapot/agent/record"
	"github.com/teapot-tee/teapot/tlog"
)

// lagging is a log whose first subscription ends at once, as one does that falls too far behind.
type lagging struct {
	record.Log
	subscribed atomic.Int32
	held       chan struct{} // the second subscription waits until this is closed
}

func (l *lagging) Subscribe(ctx context.Context) <-chan actionlog.Proof {
	if l.subscribed.Add(1) == 1 {
		ended := make(chan actionlog.Proof)
		go func() { <-l.held; close(ended) }()
		return ended
	}
	return l.Log.Subscribe(ctx)
}

func TestErasureIsFollowedAfterFallingBehind(t *testing.T) {
	p := agenttest.NewPlace(t, t.TempDir())
	t.Cleanup(func() { p.Store.Close() })
	slow := &lagging{held: make(chan struct{})}
	p.Wrap = func(l *actionlog.Log) record.Log { slow.Log = l; return slow }
	a := p.Start(t, nil)
	out := say(t, a, "forget me please")
	if _, err := slow.Log.(*actionlog.Log).Erase(t.Context(), actionlog.Erasure{Targets: []uint64{out.Message.Index}, Requester: tlog.RequesterOperator, Reason: "asked"}); err != nil {
		t.Fatal(err)
	}
	close(slow.held)
	untilForgotten(t, a)
}

// untilForgotten waits until only the reply is left; the test's own time-out ends it.
func untilForgotten(t *testing.T, a *agent.Agent) {
	t.Helper()
	for {
		items, err := a.Memory().Recent(t.Context(), room, 32)
		if err != nil {
			t.Fatal(err)
		}
		if len(items) == 1 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// unreadable is a lagging log that cannot say once what was erased.
type unreadable struct {
	lagging
	failed atomic.Int32
}

func (u *unreadable) Query(ctx context.Context, q actionlog.Query) (actionlog.Page, error) {
	if u.subscribed.Load() == 2 && slices.Contains(q.Types, tlog.TypeErasure) && u.failed.Add(1) == 1 {
		return actionlog.Page{}, errors.New("the index is on a bad disk")
	}
	return u.lagging.Query(ctx, q)
}

func TestErasureIsTriedAgain(t *testing.T) {
	p := agenttest.NewPlace(t, t.TempDir())
	t.Cleanup(func() { p.Store.Close() })
	u := &unreadable{lagging: lagging{held: make(chan struct{})}}
	p.Wrap = func(l *actionlog.Log) record.Log { u.Log = l; return u }
	a := p.Start(t, nil)
	out := say(t, a, "forget me please")
	if _, err := u.Log.(*actionlog.Log).Erase(t.Context(), actionlog.Erasure{Targets: []uint64{out.Message.Index}, Requester: tlog.RequesterOperator, Reason: "asked"}); err != nil {
		t.Fatal(err)
	}
	close(u.held)
	untilForgotten(t, a)
	if u.failed.Load() == 0 {
		t.Error("nothing failed")
	}
}
