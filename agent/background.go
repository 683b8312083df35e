package agent

import (
	"context"
	"time"

	"github.com/teapot-tee/teapot/agent/plugin"
)

// task is what is left to do after an answer.
type task struct{ turn *turn }

// later leaves the evaluators to the background, so that nobody waits for them. When too much is waiting they are skipped:
// they look at whole conversations, so the next one sees what this one missed.
func (a *Agent) later(t *turn) {
	select {
	case a.background <- task{t}:
	default:
	}
}

func (a *Agent) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case next := <-a.background:
			a.evaluate(ctx, next.turn)
		}
	}
}

// evaluate runs the evaluators, one after another. They may call the model and remember; both are on the record.
func (a *Agent) evaluate(ctx context.Context, t *turn) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	call := t.callOf(t.content, nil)
	for _, e := range a.evaluators {
		err := guarded(ctx, e.Name, func() error { return run(ctx, e, call) })
		if err != nil && ctx.Err() == nil {
			a.config.Logger.WarnContext(ctx, "an evaluator failed", "evaluator", e.Name, "error", err)
		}
	}
}

func run(ctx context.Context, e plugin.Evaluator, call plugin.Call) error {
	if e.Validate != nil && !e.Validate(ctx, call) {
		return nil
	}
	return e.Handler(ctx, call)
}
