package actionlog_test

import (
	"context"
	"testing"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/tlog"
)

// BenchmarkRestart reopens a log of 100,000 entries.
func BenchmarkRestart(b *testing.B) {
	o, ctx := storeOptions(b.TempDir()), context.Background()
	s, err := actionlog.Open(o)
	if err != nil {
		b.Fatal(err)
	}
	l, err := s.OpenLog(logOptions(agentID))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := l.Boot(ctx, bootOf(0)); err != nil {
		b.Fatal(err)
	}
	batch := make([]actionlog.Entry, 1000)
	for i := range batch {
		batch[i] = actionlog.Entry{Type: "message", Room: "r", User: "u", Source: tlog.SourceRuntime, Content: make([]byte, 1024)}
	}
	for range 100 {
		if _, err := l.Append(ctx, batch...); err != nil {
			b.Fatal(err)
		}
	}
	s.Close()
	b.ResetTimer()
	for range b.N {
		s, err := actionlog.Open(o)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.OpenLog(logOptions(agentID)); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		s.Close()
		b.StartTimer()
	}
}
