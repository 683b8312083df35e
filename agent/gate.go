package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/model"
	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/record"
	"github.com/teapot-tee/teapot/agent/spend"
	"github.com/teapot-tee/teapot/tlog"
)

var _ plugin.Runtime = (*turn)(nil)

// AgentID is the agent's UUID.
func (t *turn) AgentID() string { return t.agent.ID() }

// AgentName is the character's name.
func (t *turn) AgentName() string { return t.agent.Name() }

// Now is the gate's clock.
func (t *turn) Now() time.Time { return t.agent.config.Now() }

// Setting returns a setting that is part of the public character; secrets and the environment are not.
func (t *turn) Setting(key string) string { return t.agent.character.PublicSetting(key) }

// intent and result are the contents of those entries.
type intent struct {
	Action string          `json:"action"`
	Detail json.RawMessage `json:"detail,omitempty"`
}

type result struct {
	Action  string          `json:"action"`
	OK      bool            `json:"ok"`
	Refused bool            `json:"refused,omitempty"` // the spending policy said no; nothing was signed
	Error   string          `json:"error,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
}

// Do is the gate: intent (durable), act, result. What is done inside names this intent as its cause.
func (t *turn) Do(ctx context.Context, i plugin.Intent, act func(ctx context.Context) (any, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	detail, err := json.Marshal(i.Detail)
	if err != nil {
		return fmt.Errorf("writing the intent: %w", err)
	}
	entry := actionlog.Entry{Type: tlog.TypeIntent, Source: tlog.SourceGateway, Cause: []uint64{t.cause()}, Visibility: visibility(i.Public)}
	index, err := t.append(ctx, entry, intent{i.Name, detail})
	if err != nil {
		return fmt.Errorf("the intent could not be recorded, so nothing was done: %w", err)
	}
	before := t.under(index)
	value, actErr := act(ctx)
	t.under(before)
	r := result{Action: i.Name, OK: actErr == nil}
	if actErr != nil {
		r.Error = bounded(actErr.Error())
		_, r.Refused = errors.AsType[*spend.Refused](actErr)
	} else if r.Result, err = json.Marshal(value); err != nil {
		r.Error = "the result cannot be written as JSON"
	}
	entry.Type, entry.Cause = tlog.TypeResult, []uint64{index}
	done, err := t.append(ctx, entry, r)
	if err != nil {
		return errors.Join(actErr, fmt.Errorf("recording the result: %w", err))
	}
	t.mu.Lock()
	t.results = append(t.results, done)
	t.mu.Unlock()
	return actErr
}

func visibility(public bool) actionlog.Visibility {
	if public {
		return actionlog.VisibilityPublic
	}
	return actionlog.VisibilityOwner
}

// cause is what leads to the next step: the intent in progress, else the model call, else the message.
func (t *turn) cause() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.doing != 0:
		return t.doing
	case t.modelEntry != 0:
		return t.modelEntry
	}
	return t.message.Index
}

// under sets the intent in progress and returns the one before.
func (t *turn) under(index uint64) (before uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, t.doing = t.doing, index
	return before
}

// Ask calls the model for a plugin.
func (t *turn) Ask(ctx context.Context, q plugin.Question) (string, error) {
	out, err := t.call(ctx, "plugin", model.Request{
		Class: model.Class(q.Size), System: q.System, Prompt: q.Prompt,
		Turn: model.Turn{Task: model.Task(q.Answer), Agent: t.agent.Name(), Text: q.About, History: t.history, Actions: t.possible},
	})
	return out.Text, err
}

// Remember puts a memory on the record and into the memory.
func (t *turn) Remember(ctx context.Context, m plugin.Memory) error {
	if m.Text == "" || len(m.Text) > MaxText {
		return fmt.Errorf("a memory has 1 to %d bytes", MaxText)
	}
	room := m.Room
	if room == "" {
		room = t.message.Room
	}
	entry := actionlog.Entry{Type: record.Memory, Room: room, User: t.agent.ID(), Source: tlog.SourcePlugin, Cause: []uint64{t.cause()}}
	_, _, err := t.agent.keep(ctx, entry, memory.Body{Text: m.Text, Kind: m.Kind, Source: m.Source})
	return err
}

// Recall searches memories by meaning.
func (t *turn) Recall(ctx context.Context, q plugin.Query) ([]plugin.Memory, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = 10
	}
	kind := record.Memory
	if q.Kind == record.Knowledge {
		kind = record.Knowledge
	}
	search := memory.Query{Type: kind, Room: q.Room, Limit: limit, Least: q.Threshold}
	if kind == record.Memory {
		search.Kind = q.Kind
	}
	var list []plugin.Memory
	for _, f := range t.agent.search(ctx, search, q.Text) {
		list = append(list, plugin.Memory{Kind: f.Kind, Room: f.Room, Text: f.Text, Source: f.Source, At: f.At, Index: f.Index, Score: f.Score})
	}
	return list, nil
}

// Recent returns the last messages of a room, oldest first.
func (t *turn) Recent(ctx context.Context, room string, n int) ([]plugin.Message, error) {
	items, err := t.agent.config.Memory.Recent(ctx, room, n)
	if err != nil {
		return nil, err
	}
	var list []plugin.Message
	for _, i := range items {
		list = append(list, t.agent.message(i, false))
	}
	return list, nil
}

// Room returns how the agent takes part in a room.
func (t *turn) Room(room string) plugin.RoomState { return t.agent.Room(room) }

// Room returns how the agent takes part in a room.
func (a *Agent) Room(room string) plugin.RoomState {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rooms[room]
}

// SetRoom changes it, on the record.
func (t *turn) SetRoom(ctx context.Context, room string, s plugin.RoomState) error {
	entry := actionlog.Entry{Type: record.Room, Room: room, User: t.agent.ID(), Source: tlog.SourceRuntime, Cause: []uint64{t.cause()}}
	if _, _, err := t.agent.keep(ctx, entry, memory.Body{State: &s}); err != nil {
		return fmt.Errorf("recording the room's state: %w", err)
	}
	t.agent.mu.Lock()
	defer t.agent.mu.Unlock()
	t.agent.rooms[room] = s
	return nil
}
