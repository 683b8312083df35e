package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent/model"
	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/record"
	"github.com/teapot-tee/teapot/tlog"
)

// turn is the handling of one message: it knows what caused what, and is the Runtime that plugins see.
type turn struct {
	agent    *Agent
	message  plugin.Message
	state    plugin.State
	history  []string       // what the same person said before
	possible []string       // actions that may be chosen
	content  plugin.Content // what the model said
	reply    uint64         // index of the reply
	refused  string         // why the chosen action was not done

	mu         sync.Mutex
	modelEntry uint64   // index of the last model call; 0 = none (entry 0 is the boot leaf)
	doing      uint64   // index of the intent in progress; 0 = none
	results    []uint64 // indices of the results of what was done
}

func (a *Agent) newTurn(_ context.Context, m plugin.Message) *turn {
	return &turn{agent: a, message: m}
}

// exchange is the content of a model entry.
type exchange struct {
	Purpose        string           `json:"purpose"`
	Provider       string           `json:"provider"`
	Endpoint       string           `json:"endpoint,omitempty"`
	Model          string           `json:"model"`
	RequestSHA256  string           `json:"request_sha256"`
	RequestBytes   int              `json:"request_bytes"`
	ResponseSHA256 string           `json:"response_sha256"`
	ResponseBytes  int              `json:"response_bytes"`
	Truncated      bool             `json:"truncated,omitempty"`
	Status         int              `json:"status,omitempty"`
	Attempts       int              `json:"attempts"`
	Microseconds   int64            `json:"took_us"`
	Usage          model.Usage      `json:"usage"`
	TLS            *model.TLS       `json:"tls,omitempty"`
	Signature      *model.Signature `json:"signature,omitempty"`
	Error          string           `json:"error,omitempty"`
	Request        []byte           `json:"request,omitempty"`
	Response       []byte           `json:"response,omitempty"`
}

const keptBytes = 64 << 10

// call asks the model and records the exchange, whatever came of it.
func (t *turn) call(ctx context.Context, purpose string, r model.Request) (model.Response, error) {
	start := t.agent.config.Now()
	out, err := safely(ctx, t.agent.config.Model, r)
	if out.Took == 0 {
		out.Took = t.agent.config.Now().Sub(start)
	}
	index, logErr := t.recordCall(ctx, purpose, out, err)
	if logErr != nil {
		return out, fmt.Errorf("recording the model call: %w", logErr)
	}
	t.mu.Lock()
	t.modelEntry = index
	t.mu.Unlock()
	return out, err
}

// safely turns a panic of a model into an error: one provider's bug must not stop other agents.
func safely(ctx context.Context, m model.Model, r model.Request) (out model.Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the model panicked: %v", p)
		}
	}()
	return m.Complete(ctx, r)
}

func (t *turn) recordCall(ctx context.Context, purpose string, out model.Response, callErr error) (uint64, error) {
	x := exchange{
		Purpose: purpose, Provider: out.Provider, Endpoint: out.Endpoint, Model: out.Model,
		RequestSHA256: digest(out.Request), RequestBytes: len(out.Request),
		ResponseSHA256: digest(out.Response), ResponseBytes: len(out.Response),
		Truncated: out.Truncated, Status: out.Status, Attempts: out.Attempts, Microseconds: out.Took.Microseconds(),
		Usage: out.Usage, TLS: out.TLS, Signature: out.Signature,
	}
	if callErr != nil {
		x.Error = bounded(callErr.Error())
	}
	if t.agent.config.KeepExchanges && len(out.Request) <= keptBytes && len(out.Response) <= keptBytes {
		x.Request, x.Response = out.Request, out.Response
	}
	e := actionlog.Entry{Type: record.Model, Source: tlog.SourceGateway, Cause: []uint64{t.message.Index}}
	return t.append(ctx, e, x)
}

// append records a step of this turn with a JSON content. A step that happened is recorded even if the client has gone.
func (t *turn) append(ctx context.Context, e actionlog.Entry, content any) (uint64, error) {
	raw, err := json.Marshal(content)
	if err != nil {
		return 0, fmt.Errorf("writing the content: %w", err)
	}
	e.Room, e.User, e.MediaType, e.Content = t.message.Room, t.agent.ID(), record.JSON, raw
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	proofs, err := t.agent.config.Log.Append(ctx, e)
	if err != nil {
		return 0, err
	}
	return proofs[0].Index, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// bounded keeps foreign words short.
func bounded(text string) string {
	if len(text) > 512 {
		text = strings.ToValidUTF8(text[:512], "") + "…"
	}
	return text
}
