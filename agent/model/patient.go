package model

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Patient tries a model a bounded number of times: Eliza tries for ever. What is worth another try is a time-out, a broken
// connection, HTTP 429 and 5xx, and an empty answer; a refusal is not.
type Patient struct {
	Model    Model
	Attempts int           // 0 = 3
	Timeout  time.Duration // of one attempt; 0 = 60 s
	Total    time.Duration // of all attempts; 0 = 90 s
	Backoff  time.Duration // before the second attempt, doubled for each further one, with jitter; 0 = 500 ms
}

var _ Model = Patient{}

// Complete returns the last attempt's exchange with the number of attempts. A request that already streamed text is not
// tried again, because the reader has seen it.
func (p Patient) Complete(ctx context.Context, r Request) (Response, error) {
	start := time.Now()
	total := p.Total
	if total <= 0 {
		total = 90 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, total)
	defer cancel()
	streamed := false
	if stream := r.Stream; stream != nil {
		r.Stream = func(text string) { streamed = true; stream(text) }
	}
	for attempt := 1; ; attempt++ {
		out, err := p.once(ctx, r)
		out.Attempts, out.Took = attempt, time.Since(start)
		if err == nil || attempt >= p.attempts() || streamed || !again(err) || p.wait(ctx, attempt) != nil {
			return out, err
		}
	}
}

func (p Patient) once(ctx context.Context, r Request) (Response, error) {
	timeout := p.Timeout
	if timeout <= 0 {
		timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return p.Model.Complete(ctx, r)
}

func (p Patient) attempts() int {
	if p.Attempts <= 0 {
		return 3
	}
	return p.Attempts
}

func (p Patient) wait(ctx context.Context, attempt int) error {
	pause := p.Backoff
	if pause <= 0 {
		pause = 500 * time.Millisecond
	}
	pause <<= attempt - 1
	pause = pause/2 + rand.N(pause)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}

func again(err error) bool {
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.Status == 429 || status.Status >= 500
	}
	return !errors.Is(err, context.Canceled)
}
