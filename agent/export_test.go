package agent

import (
	"context"
	"errors"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent/record"
)

// LogOf gives tests the agent's log.
func LogOf(a *Agent) record.Log { return a.config.Log }

// Break makes the agent's log take nothing any more.
func Break(a *Agent) { a.config.Log = broken{a.config.Log} }

type broken struct{ record.Log }

func (broken) Append(context.Context, ...actionlog.Entry) ([]actionlog.Proof, error) {
	return nil, errors.New("the disk is full")
}
