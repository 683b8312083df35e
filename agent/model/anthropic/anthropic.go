// Package anthropic speaks Anthropic's messages wire (version 2023-06-01). It trusts the answer in nothing but its being one.
package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/teapot-tee/teapot/agent/model"
	"github.com/teapot-tee/teapot/agent/model/wire"
)

// Version is the value of the anthropic-version header.
const Version = "2023-06-01"

// Config is the provider.
type Config struct {
	Endpoint    string // base URL, as "https://api.anthropic.com/v1"
	Key         string
	Models      [3]string // by model.Class
	Temperature float64
	MaxTokens   int
	Prices      map[string]model.Price
}

// Model is the messages endpoint.
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

type request struct {
	Model       string    `json:"model"`
	MaxTokens   int       `json:"max_tokens"`
	Temperature float64   `json:"temperature"`
	System      string    `json:"system,omitempty"`
	Messages    []message `json:"messages"`
	Stream      bool      `json:"stream,omitempty"`
}

type usage struct {
	Input  int `json:"input_tokens"`
	Output int `json:"output_tokens"`
}

// answer holds a whole answer and the events of a stream: the members that both have mean the same.
type answer struct {
	Type    string `json:"type"`
	Content []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"content"`
	Usage   usage `json:"usage"`
	Message struct {
		Usage usage `json:"usage"`
	} `json:"message"`
	Delta struct {
		Text string `json:"text"`
	} `json:"delta"`
	Error *struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	} `json:"error"`
}

// Complete asks for one message.
func (m *Model) Complete(ctx context.Context, r model.Request) (model.Response, error) {
	name := m.config.Models[r.Class]
	out := model.Response{Exchange: model.Exchange{Provider: "anthropic", Endpoint: m.config.Endpoint, Model: name, Attempts: 1}}
	body, err := json.Marshal(m.request(r, name))
	if err != nil {
		return out, fmt.Errorf("writing the request: %w", err)
	}
	header := http.Header{"X-Api-Key": {m.config.Key}, "Anthropic-Version": {Version}}
	c := collector{stream: r.Stream}
	call := wire.Call{URL: strings.TrimRight(m.config.Endpoint, "/") + "/messages", Header: header, Body: body}
	if r.Stream != nil {
		call.Event = c.event
	}
	if err := m.client.Do(ctx, call, &out.Exchange); err != nil {
		return out, err
	}
	if err := c.finish(out.Response); err != nil {
		return out, err
	}
	out.Text, out.Usage = c.text.String(), model.Usage{Prompt: c.usage.Input, Completion: c.usage.Output}
	out.Usage.Cost = m.config.Prices[name].Cost(out.Usage)
	if strings.TrimSpace(out.Text) == "" {
		return out, model.ErrEmpty
	}
	return out, nil
}

func (m *Model) request(r model.Request, name string) request {
	q := request{
		Model: name, MaxTokens: m.config.MaxTokens, Temperature: m.config.Temperature, System: r.System,
		Messages: []message{{"user", r.Prompt}}, Stream: r.Stream != nil,
	}
	if r.MaxTokens > 0 && r.MaxTokens < q.MaxTokens {
		q.MaxTokens = r.MaxTokens
	}
	return q
}

// collector puts an answer together, whole or streamed.
type collector struct {
	stream   func(string)
	text     strings.Builder
	usage    usage
	streamed bool
}

func (c *collector) event(data []byte) error {
	c.streamed = true
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return fmt.Errorf("an event of the stream is no JSON: %w", err)
	}
	switch a.Type {
	case "message_start":
		c.usage.Input = a.Message.Usage.Input
	case "content_block_delta":
		c.text.WriteString(a.Delta.Text)
		c.stream(a.Delta.Text)
	case "message_delta":
		c.usage.Output = a.Usage.Output
	case "message_stop":
		return wire.ErrStop
	case "error":
		return a.failure()
	}
	return nil
}

func (a answer) failure() error {
	if a.Error == nil {
		return errors.New("the model answered an error without words")
	}
	return fmt.Errorf("the model answered an error: %.100s: %.400s", a.Error.Type, a.Error.Message)
}

// finish reads an answer that did not come as a stream.
func (c *collector) finish(body []byte) error {
	if c.streamed {
		return nil
	}
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return fmt.Errorf("the model's answer is no JSON: %w: %.120q", err, body)
	}
	if a.Error != nil {
		return a.failure()
	}
	for _, block := range a.Content {
		if block.Type == "text" {
			c.text.WriteString(block.Text)
		}
	}
	c.usage = a.Usage
	if c.stream != nil {
		c.stream(c.text.String())
	}
	return nil
}
