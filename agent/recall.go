package agent

import (
	"context"

	"github.com/teapot-tee/teapot/agent/embed"
	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/record"
)

// embed gives an item its vector if that costs nothing; a provider's vectors are fetched only for what Search scans.
func (a *Agent) embed(ctx context.Context, i *memory.Item) {
	if i.Text == "" {
		return
	}
	_, local := a.config.Embedder.(embed.Offline)
	if local && (i.Type == record.Memory || i.Type == record.Knowledge) {
		i.Vector = embed.Vector(i.Text)
		return
	}
	if local || i.Type != record.Memory && i.Type != record.Knowledge {
		return
	}
	vectors, err := a.config.Embedder.Embed(ctx, []string{i.Text})
	if err != nil || len(vectors) != 1 {
		a.config.Logger.WarnContext(ctx, "no embedding; the memory is found by its words only", "index", i.Index, "error", err)
		return
	}
	i.Vector = vectors[0]
}

// search finds memories by meaning and by words.
func (a *Agent) search(ctx context.Context, q memory.Query, text string) []memory.Found {
	vectors, err := a.config.Embedder.Embed(ctx, []string{text})
	if err != nil || len(vectors) != 1 {
		a.config.Logger.WarnContext(ctx, "no embedding; searching by words only", "error", err)
		vectors = [][]float32{nil}
	}
	q.Vector = vectors[0]
	return a.config.Memory.Search(q)
}

func (a *Agent) knows() bool { return a.config.Memory.Has(record.Knowledge) }
