package memory

import (
	"context"
	"fmt"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent/embed"
	"github.com/teapot-tee/teapot/agent/record"
)

// Source is a log to rebuild from.
type Source interface {
	Query(ctx context.Context, q actionlog.Query) (actionlog.Page, error)
}

// remembered are the types of entries that a memory holds.
var remembered = []string{record.Message, record.Reply, record.Memory, record.Room, record.Knowledge}

const rebuildPage = 1000

// Rebuild compares the memory with the log and, unless it holds exactly the log's entries, forgets everything and reads
// it anew. So rows that the host withheld come back, rows that it made up go, and what a crash left out is there. It
// returns the number of entries read.
func (s *Store) Rebuild(ctx context.Context, log Source) (int, error) {
	s.Flush() // what is on its way to the file is not missing
	var want int
	q := actionlog.Query{Types: remembered, Limit: 1, Count: true, Viewer: actionlog.Viewer{Owner: true}}
	page, err := log.Query(ctx, q)
	if err != nil {
		return 0, fmt.Errorf("comparing the memory with the log: %w", err)
	}
	want = int(page.Total)
	have, err := s.Count(ctx)
	if err != nil || have == want {
		return 0, err
	}
	if err := s.Clear(ctx); err != nil {
		return 0, fmt.Errorf("rebuilding the memory: %w", err)
	}
	return s.replay(ctx, log)
}

func (s *Store) replay(ctx context.Context, log Source) (n int, err error) {
	q := actionlog.Query{Types: remembered, Limit: rebuildPage, Viewer: actionlog.Viewer{Owner: true}}
	for {
		page, err := log.Query(ctx, q)
		if err != nil {
			return n, fmt.Errorf("rebuilding the memory: %w", err)
		}
		for _, entry := range page.Items {
			if err := s.takeEntry(ctx, entry); err != nil {
				return n, err
			}
			n++
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			s.Flush()
			return n, nil
		}
	}
}

// gone is the type of a row that stands for an erased entry, so that rows and entries can be counted.
const gone = "gone"

// takeEntry remembers one entry of the log; erased and empty ones are counted and hold nothing.
func (s *Store) takeEntry(ctx context.Context, entry actionlog.Item) error {
	if entry.State != actionlog.ContentShown {
		return s.Add(ctx, Item{Index: entry.Index, Type: gone}, nil)
	}
	item, err := open(&entry.Leaf, entry.Addendum)
	if err != nil {
		s.opts.Logger.WarnContext(ctx, "an entry is no memory", "index", entry.Index, "error", err)
		return s.Add(ctx, Item{Index: entry.Index, Type: gone}, nil)
	}
	if searched(item.Type) && item.Text != "" {
		item.Vector = embed.Vector(item.Text)
	}
	return s.Add(ctx, item, entry.Addendum)
}
