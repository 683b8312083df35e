// Package openai speaks the chat completions wire of OpenAI and of all who copied it: RedPill, OpenRouter, Groq, DeepSeek,
// Together, LM Studio, vLLM, llama.cpp, Ollama's compatible endpoint. It trusts the answer in nothing but its being one.
package openai

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

// Config is one provider. Penalties and temperature are sent as they are.
type Config struct {
	Provider         string    // name for the log
	Endpoint         string    // base URL, as "https://api.openai.com/v1"
	Key              string    // bearer token; "" sends none
	Models           [3]string // by model.Class
	Temperature      float64
	FrequencyPenalty float64
	PresencePenalty  float64
	MaxTokens        int
	Stop             []string
	Prices           map[string]model.Price // by model
	// Signatures asks the provider for its signature over each exchange (confidential inference) and checks it.
	Signatures Signatures
}

// Model is a provider's chat endpoint.
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
	Model            string         `json:"model"`
	MaxTokens        int            `json:"max_tokens,omitempty"`
	Temperature      float64        `json:"temperature"`
	FrequencyPenalty float64        `json:"frequency_penalty"`
	PresencePenalty  float64        `json:"presence_penalty"`
	Messages         []message      `json:"messages"`
	Stop             []string       `json:"stop,omitempty"`
	Stream           bool           `json:"stream,omitempty"`
	StreamOptions    *streamOptions `json:"stream_options,omitempty"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type answer struct {
	ID      string `json:"id"`
	Choices []struct {
		Message message `json:"message"`
		Delta   message `json:"delta"`
	} `json:"choices"`
	Usage *struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
	} `json:"usage"`
	Error json.RawMessage `json:"error"`
}

// Complete asks for one completion.
func (m *Model) Complete(ctx context.Context, r model.Request) (model.Response, error) {
	name := m.config.Models[r.Class]
	out := model.Response{Exchange: model.Exchange{Provider: m.config.Provider, Endpoint: m.config.Endpoint, Model: name, Attempts: 1}}
	body, err := json.Marshal(m.request(r, name))
	if err != nil {
		return out, fmt.Errorf("writing the request: %w", err)
	}
	a := collector{stream: r.Stream}
	call := wire.Call{URL: m.url("/chat/completions"), Header: m.header(), Body: body}
	if r.Stream != nil {
		call.Event = a.event
	}
	if err := m.client.Do(ctx, call, &out.Exchange); err != nil {
		return out, err
	}
	if err := a.finish(out.Response); err != nil {
		return out, err
	}
	out.Text, out.Usage = a.text.String(), a.usage
	out.Usage.Cost = m.config.Prices[name].Cost(a.usage)
	m.sign(ctx, a.id, name, &out.Exchange)
	if strings.TrimSpace(out.Text) == "" {
		return out, model.ErrEmpty
	}
	return out, nil
}

func (m *Model) request(r model.Request, name string) request {
	q := request{
		Model: name, MaxTokens: m.config.MaxTokens, Temperature: m.config.Temperature, Stop: m.config.Stop,
		FrequencyPenalty: m.config.FrequencyPenalty, PresencePenalty: m.config.PresencePenalty,
	}
	if r.MaxTokens > 0 && (q.MaxTokens == 0 || r.MaxTokens < q.MaxTokens) {
		q.MaxTokens = r.MaxTokens
	}
	if r.System != "" {
		q.Messages = append(q.Messages, message{"system", r.System})
	}
	q.Messages = append(q.Messages, message{"user", r.Prompt})
	if r.Stream != nil {
		q.Stream, q.StreamOptions = true, &streamOptions{true}
	}
	return q
}

func (m *Model) url(path string) string { return strings.TrimRight(m.config.Endpoint, "/") + path }

func (m *Model) header() http.Header {
	h := http.Header{}
	if m.config.Key != "" {
		h.Set("Authorization", "Bearer "+m.config.Key)
	}
	return h
}

// collector puts an answer together, whole or streamed.
type collector struct {
	stream   func(string)
	text     strings.Builder
	id       string
	usage    model.Usage
	streamed bool
}

func (c *collector) event(data []byte) error {
	c.streamed = true
	if string(data) == "[DONE]" {
		return wire.ErrStop
	}
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return fmt.Errorf("an event of the stream is no JSON: %w", err)
	}
	if err := c.add(a); err != nil {
		return err
	}
	if len(a.Choices) > 0 && a.Choices[0].Delta.Content != "" {
		c.text.WriteString(a.Choices[0].Delta.Content)
		c.stream(a.Choices[0].Delta.Content)
	}
	return nil
}

func (c *collector) add(a answer) error {
	if len(a.Error) > 0 && string(a.Error) != "null" {
		return fmt.Errorf("the model answered an error: %.512s", a.Error)
	}
	if a.ID != "" {
		c.id = a.ID
	}
	if a.Usage != nil {
		c.usage = model.Usage{Prompt: a.Usage.Prompt, Completion: a.Usage.Completion}
	}
	return nil
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
	if err := c.add(a); err != nil {
		return err
	}
	if len(a.Choices) == 0 {
		return errors.New("the model's answer has no choices")
	}
	c.text.WriteString(a.Choices[0].Message.Content)
	if c.stream != nil {
		c.stream(a.Choices[0].Message.Content)
	}
	return nil
}
