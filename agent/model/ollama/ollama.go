// Package ollama speaks Ollama's native chat wire: newline-delimited JSON. It trusts the answer in nothing but its being one.
package ollama

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/teapot-tee/teapot/agent/model"
	"github.com/teapot-tee/teapot/agent/model/wire"
)

// Config is one server.
type Config struct {
	Endpoint    string    // base URL without "/api", as "http://localhost:11434"
	Models      [3]string // by model.Class
	Temperature float64
	MaxTokens   int
	Stop        []string
}

// Model is a server's chat endpoint.
type Model struct {
	config Config
	client wire.Client
}

var _ model.Model = (*Model)(nil)

// New makes a model. client may be nil.
func New(c Config, client *http.Client) *Model {
	return &Model{c, wire.New(client)}
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type options struct {
	Temperature float64  `json:"temperature"`
	NumPredict  int      `json:"num_predict,omitempty"`
	Stop        []string `json:"stop,omitempty"`
}

type request struct {
	Model    string    `json:"model"`
	Messages []message `json:"messages"`
	Stream   bool      `json:"stream"`
	Options  options   `json:"options"`
}

type answer struct {
	Message    message `json:"message"`
	Error      string  `json:"error"`
	Prompt     int     `json:"prompt_eval_count"`
	Completion int     `json:"eval_count"`
}

// Complete asks for one message.
func (m *Model) Complete(ctx context.Context, r model.Request) (model.Response, error) {
	name := m.config.Models[r.Class]
	out := model.Response{Exchange: model.Exchange{Provider: "ollama", Endpoint: m.config.Endpoint, Model: name, Attempts: 1}}
	body, err := json.Marshal(m.request(r, name))
	if err != nil {
		return out, fmt.Errorf("writing the request: %w", err)
	}
	call := wire.Call{URL: strings.TrimRight(m.config.Endpoint, "/") + "/api/chat", Body: body}
	c := collector{stream: r.Stream}
	if r.Stream != nil {
		call.Line = c.line
	}
	if err := m.client.Do(ctx, call, &out.Exchange); err != nil {
		return out, err
	}
	if err := c.finish(out.Response); err != nil {
		return out, err
	}
	out.Text, out.Usage = c.text.String(), c.usage
	if strings.TrimSpace(out.Text) == "" {
		return out, model.ErrEmpty
	}
	return out, nil
}

func (m *Model) request(r model.Request, name string) request {
	q := request{Model: name, Stream: r.Stream != nil, Options: options{m.config.Temperature, m.config.MaxTokens, m.config.Stop}}
	if r.MaxTokens > 0 {
		q.Options.NumPredict = r.MaxTokens
	}
	if r.System != "" {
		q.Messages = append(q.Messages, message{"system", r.System})
	}
	q.Messages = append(q.Messages, message{"user", r.Prompt})
	return q
}

// collector puts an answer together, whole or line by line.
type collector struct {
	stream   func(string)
	text     strings.Builder
	usage    model.Usage
	streamed bool
}

func (c *collector) line(data []byte) error {
	c.streamed = true
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return fmt.Errorf("the model's answer is no JSON: %w: %.120q", err, data)
	}
	if a.Error != "" {
		return fmt.Errorf("the model answered an error: %.512s", a.Error)
	}
	c.text.WriteString(a.Message.Content)
	if c.stream != nil && a.Message.Content != "" {
		c.stream(a.Message.Content)
	}
	if a.Completion > 0 {
		c.usage = model.Usage{Prompt: a.Prompt, Completion: a.Completion} // costs nothing: it runs on the operator's machine
	}
	return nil
}

// finish reads an answer that did not come line by line.
func (c *collector) finish(body []byte) error {
	if c.streamed {
		return nil
	}
	return c.line(bytes.TrimSpace(body))
}
