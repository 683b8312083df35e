package client_test

import (
	"sync"
	"testing"

	"github.com/teapot-tee/teapot/client"
	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/verify"
)

// Looks that end at the same time never leave the smaller log in memory, whoever writes last.
func TestConcurrentLooksNeverTakeTheMemoryBack(t *testing.T) {
	p := begin(t, t.TempDir())
	a, _ := p.Agent(eliza)
	var seen []verify.Seen
	for range 12 {
		p.talk(t, 1)
		seen = append(seen, verify.Seen{Origin: a.Log.Origin(), Target: "http://x", Agent: eliza, Checkpoint: a.Log.Checkpoint()})
	}
	dir := t.TempDir()
	var all sync.WaitGroup
	for _, s := range seen {
		all.Go(func() {
			if err := client.MemoryAt(dir).Remember(s); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got, err := client.MemoryAt(dir).Of(a.Log.Origin())
	if err != nil || got == nil {
		t.Fatal(got, err)
	}
	if c, err := tlog.ParseCheckpoint(got.Checkpoint); err != nil || c.Size != a.Log.Size() {
		t.Errorf("remembered %+v, %v; the log has %d entries", c, err, a.Log.Size())
	}
}
