// Package chains connects the agent's wallets to test networks: balances and transfers over JSON-RPC. It builds the exact
// transaction bytes with agent/wallet and trusts an RPC server for nothing that moves
// more money than was asked: fees are capped, and what is signed is shown in the result.
package chains

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/teapot-tee/teapot/agent/model/wire"
)

// rpc is a JSON-RPC 2.0 endpoint over HTTP.
type rpc struct {
	url    string
	client *http.Client
}

func newRPC(url string, client *http.Client) rpc {
	if client == nil {
		client = wire.NewHTTP()
	}
	return rpc{url, client}
}

// RPCError is an error that the server answered.
type RPCError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *RPCError) Error() string {
	return fmt.Sprintf("the chain's server answered error %d: %.300s", e.Code, e.Message)
}

// call makes one call. Answers are at most 1 MiB.
func (r rpc) call(ctx context.Context, out any, method string, params ...any) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	defer resp.Body.Close()
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  *RPCError       `json:"error"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer); err != nil {
		return fmt.Errorf("%s: HTTP %d and no JSON: %w", method, resp.StatusCode, err)
	}
	switch {
	case answer.Error != nil:
		return fmt.Errorf("%s: %w", method, answer.Error)
	case len(answer.Result) == 0 || string(answer.Result) == "null":
		return fmt.Errorf("%s: %w", method, errNoResult)
	}
	if err := json.Unmarshal(answer.Result, out); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return nil
}

var errNoResult = errors.New("the chain's server answered nothing")
