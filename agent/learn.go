package agent

import (
	"context"
	"fmt"
	"strings"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent/knowledge"
	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/record"
	"github.com/teapot-tee/teapot/tlog"
)

// learn puts the character's knowledge on the record, once: pieces that the agent knows already are skipped, so a restart
// adds nothing, and a changed file adds what is new. What the file no longer says is not used in prompts.
func (a *Agent) learn(ctx context.Context) error {
	documents, err := knowledge.Load(a.character)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, i := range a.config.Memory.Of(record.Knowledge) {
		known[i.Source+"\x00"+i.Text] = true
	}
	wanted := map[string]bool{}
	for _, d := range documents {
		for _, piece := range knowledge.Pieces(d.Text) {
			key := d.Source + "\x00" + piece
			if wanted[key] {
				continue
			}
			if wanted[key] = true; len(wanted) > knowledge.MaxPieces {
				return fmt.Errorf("knowledge: more than %d pieces", knowledge.MaxPieces)
			}
			if known[key] {
				continue
			}
			entry := actionlog.Entry{Type: record.Knowledge, User: a.ID(), Source: tlog.SourceRuntime}
			if _, _, err := a.keep(ctx, entry, memory.Body{Text: piece, Kind: record.Knowledge, Source: d.Source, Shared: d.Shared}); err != nil {
				return fmt.Errorf("recording knowledge: %w", err)
			}
		}
	}
	a.config.Memory.Keep(record.Knowledge, func(i memory.Item) bool { return wanted[i.Source+"\x00"+strings.TrimSpace(i.Text)] })
	return nil
}
