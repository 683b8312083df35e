package tee_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/server/access"
	"github.com/teapot-tee/teapot/server/tee"
)

// slowLog is a log in which every search lasts until it is let go.
type slowLog struct {
	tee.Log
	begun, letGo chan struct{}
	now, most    atomic.Int32
}

func (l *slowLog) Query(context.Context, actionlog.Query) (actionlog.Page, error) {
	l.most.Store(max(l.most.Load(), l.now.Add(1)))
	l.begun <- struct{}{}
	<-l.letGo
	l.now.Add(-1)
	return actionlog.Page{}, nil
}

func (l *slowLog) ProveAll([]uint64) ([]actionlog.Proof, error) { return nil, nil }
func (l *slowLog) Origin() string                               { return "teapot/test" }
func (l *slowLog) Checkpoint() []byte                           { return nil }
func (l *slowLog) HoldsRoom(actionlog.Viewer, string) bool      { return false }

// TestStrangersSearchOneAfterTheOther: a search of a text opens a whole log. The owner does not wait for strangers, nor do those who
// look for no text.
func TestStrangersSearchOneAfterTheOther(t *testing.T) {
	log := &slowLog{begun: make(chan struct{}, 16), letGo: make(chan struct{})}
	mux := http.NewServeMux()
	tee.Options{Token: access.NewToken("tok"), Agents: func() []tee.Agent { return []tee.Agent{{ID: first, Log: log}} }}.Register(mux)
	var all sync.WaitGroup
	ask := func(ctx context.Context, filter, token string) {
		all.Go(func() {
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/tee/logs", strings.NewReader(`{"query":{`+filter+`}}`))
			if token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			mux.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	const text = `"containsContent":"tea"`
	for range 4 {
		ask(t.Context(), text, "")
	}
	<-log.begun
	ask(t.Context(), text, "tok")
	ask(t.Context(), "", "")
	<-log.begun
	<-log.begun // both, while a stranger's search still runs
	if n := log.now.Load(); n != 3 {
		t.Errorf("%d searches at once, want one stranger's, the owner's and the one without text", n)
	}
	gone, cancel := context.WithCancel(t.Context())
	ask(gone, text, "")
	cancel() // whoever waits and goes takes no turn
	close(log.letGo)
	all.Wait()
	if n := log.most.Load(); n > 3 {
		t.Errorf("%d searches at once", n)
	}
}
