// Package providers turns a character into a model: Eliza's table of providers, their endpoints, keys, model names and the
// settings that override them. Keys go from the character's secrets to the one provider they belong to and nowhere else.
package providers

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/teapot-tee/teapot/agent/character"
	"github.com/teapot-tee/teapot/agent/json5"
	"github.com/teapot-tee/teapot/agent/model"
	"github.com/teapot-tee/teapot/agent/model/anthropic"
	"github.com/teapot-tee/teapot/agent/model/offline"
	"github.com/teapot-tee/teapot/agent/model/ollama"
	"github.com/teapot-tee/teapot/agent/model/openai"
)

// Wire is the protocol that a provider speaks.
type Wire uint8

// Most speak OpenAI's. Local is a model inside Eliza's process; None is a provider that has no text or a wire of its own.
const (
	OpenAI Wire = iota
	Anthropic
	Ollama
	Local
	None
)

// Provider is one line of Eliza's table.
type Provider struct {
	Name              string
	Wire              Wire
	Endpoint          string // base URL; "" = must be configured
	EndpointEnv       string // setting that overrides it
	KeyEnv            []string
	Keyless           bool
	Models            [3]string // small, medium, large
	Embedding, Image  string
	Dimensions        int
	Temperature       float64
	FrequencyPenalty  float64
	PresencePenalty   float64
	RepetitionPenalty float64
	MaxIn, MaxOut     int
	Stop              []string
	Absent            bool // in Eliza's list of names, not in its table of models
}

// Lookup finds a provider by name.
func Lookup(name string) (Provider, bool) {
	for _, p := range table() {
		if p.Name == name {
			return p, true
		}
	}
	return Provider{}, false
}

// ForCharacter returns the character's model, which tries a bounded number of times, and a sentence for the operator when the
// model is not the one that the file names. A provider without its key is a model that says so at every call: the agent
// starts, answers that it has no model, and everything else works.
func ForCharacter(c *character.Character, client *http.Client) (model.Model, string) {
	p, ok := Lookup(c.ModelProvider)
	if !ok {
		return missing{fmt.Errorf("%w: modelProvider %q", model.ErrUnconfigured, c.ModelProvider)}, "modelProvider " + c.ModelProvider + " is not known"
	}
	if p.Wire == Local {
		return local(c, p, client)
	}
	if p.Wire == None || p.Absent {
		why := fmt.Errorf("%w: Teapot does not speak to %s; choose another modelProvider, such as openai with OPENAI_API_URL", model.ErrUnconfigured, p.Name)
		return missing{why}, why.Error()
	}
	s := resolve(c, p)
	if s.endpoint == "" {
		why := fmt.Errorf("%w: %s needs modelEndpointOverride", model.ErrUnconfigured, p.Name)
		return missing{why}, why.Error()
	}
	if s.key == "" && !p.Keyless && !onThisMachine(s.endpoint) {
		why := fmt.Errorf("%w: set %s in settings.secrets or the environment", model.ErrUnconfigured, strings.Join(p.KeyEnv, " or "))
		return missing{why}, why.Error()
	}
	return model.Patient{Model: s.open(p, client)}, ""
}

// missing answers every call with what to configure.
type missing struct{ why error }

func (m missing) Complete(context.Context, model.Request) (model.Response, error) {
	return model.Response{Exchange: model.Exchange{Provider: "none"}}, m.why
}

// local stands for Eliza's in-process model: a server on this machine if one is named, else the embedded script.
func local(c *character.Character, p Provider, client *http.Client) (model.Model, string) {
	if url, ok := c.Setting("LLAMALOCAL_URL"); ok {
		s := resolve(c, p)
		s.endpoint = url
		return model.Patient{Model: s.open(p, client)}, ""
	}
	if c.Path == "" {
		return offline.Model{}, ""
	}
	return offline.Model{}, "llama_local: answering with the embedded offline script; set LLAMALOCAL_URL to an OpenAI-compatible server for a real model"
}

// settings are a provider's with a character's on top.
type settings struct {
	signatures                       openai.Signatures
	endpoint, key                    string
	models                           [3]string
	temperature, frequency, presence float64
	maxOut                           int
}

func resolve(c *character.Character, p Provider) settings {
	s := settings{
		endpoint: p.Endpoint, models: p.Models, temperature: p.Temperature, frequency: p.FrequencyPenalty,
		presence: p.PresencePenalty, maxOut: p.MaxOut,
	}
	// Eliza names the variable for few providers; the others are reached through a proxy by the same rule.
	if url, ok := c.Setting(cmp.Or(p.EndpointEnv, strings.ToUpper(p.Name)+"_API_URL")); ok {
		s.endpoint = url
	}
	if c.Endpoint != "" {
		s.endpoint = c.Endpoint
	}
	for _, name := range p.KeyEnv {
		if key, ok := c.Secret(name); ok {
			s.key = key
			break
		}
	}
	s.signatures.Algorithm, _ = c.Setting("MODEL_SIGNING_ALGO") // "ecdsa" or "ed25519", of a provider that signs its answers
	s.signatures.Signer, _ = c.Setting("MODEL_SIGNER")          // the address or key from its attestation
	s.overrideModels(c, p)
	s.overrideConfig(c.Document.Path("settings", "modelConfig"))
	if p.Wire == Ollama {
		s.endpoint = strings.TrimSuffix(strings.TrimRight(s.endpoint, "/"), "/api")
	}
	return s
}

// overrideModels reads SMALL_OPENAI_MODEL and so on, OLLAMA_MODEL, and the character's settings.model for the large one.
func (s *settings) overrideModels(c *character.Character, p Provider) {
	upper := strings.ToUpper(p.Name)
	for i, size := range []string{"SMALL", "MEDIUM", "LARGE"} {
		for _, name := range []string{size + "_" + upper + "_MODEL", upper + "_MODEL"} {
			if v, ok := c.Setting(name); ok {
				s.models[i] = v
				break
			}
		}
	}
	if v := c.Document.Path("settings", "model"); v.Kind == json5.String && v.Text != "" {
		s.models = [3]string{v.Text, v.Text, v.Text}
	}
}

func (s *settings) overrideConfig(config json5.Value) {
	for name, to := range map[string]*float64{"temperature": &s.temperature, "frequency_penalty": &s.frequency, "presence_penalty": &s.presence} {
		if v, ok := number(config.Path(name)); ok {
			*to = v
		}
	}
	for _, name := range []string{"max_response_length", "maxOutputTokens"} {
		if v, ok := number(config.Path(name)); ok && v >= 1 {
			s.maxOut = int(v)
		}
	}
}

func number(v json5.Value) (float64, bool) {
	if v.Kind != json5.Number {
		return 0, false
	}
	f, err := strconv.ParseFloat(v.Text, 64)
	return f, err == nil
}

func (s settings) open(p Provider, client *http.Client) model.Model {
	switch p.Wire {
	case Anthropic:
		return anthropic.New(anthropic.Config{
			Endpoint: s.endpoint, Key: s.key, Models: s.models, Temperature: s.temperature, MaxTokens: cmp.Or(s.maxOut, 4096), Prices: prices(),
		}, client)
	case Ollama:
		return ollama.New(ollama.Config{Endpoint: s.endpoint, Models: s.models, Temperature: s.temperature, MaxTokens: s.maxOut, Stop: p.Stop}, client)
	}
	endpoint := s.endpoint
	if p.Name == "google" {
		endpoint = strings.TrimRight(endpoint, "/") + "/v1beta/openai"
	}
	return openai.New(openai.Config{
		Provider: p.Name, Endpoint: endpoint, Key: s.key, Models: s.models, Temperature: s.temperature, FrequencyPenalty: s.frequency,
		PresencePenalty: s.presence, MaxTokens: s.maxOut, Stop: p.Stop, Prices: prices(), Signatures: s.signatures,
	}, client)
}

// onThisMachine says whether an endpoint needs no key because it is a server of the operator's own.
func onThisMachine(endpoint string) bool {
	for _, host := range []string{"http://127.0.0.1", "http://localhost", "http://[::1]", "http://host.docker.internal"} {
		if strings.HasPrefix(endpoint, host) {
			return true
		}
	}
	return false
}

// prices are list prices in millionths of a dollar per million tokens, of the models that the table names. A model that is
// not here has no known price, and the log says so.
func prices() map[string]model.Price {
	return map[string]model.Price{
		"gpt-4o-mini": {Prompt: 150_000, Completion: 600_000}, "gpt-4o": {Prompt: 2_500_000, Completion: 10_000_000},
		"claude-3-haiku-20240307": {Prompt: 250_000, Completion: 1_250_000}, "claude-3-5-sonnet-20241022": {Prompt: 3_000_000, Completion: 15_000_000},
		"deepseek-chat": {Prompt: 270_000, Completion: 1_100_000}, "llama-3.1-8b-instant": {Prompt: 50_000, Completion: 80_000},
		"llama-3.3-70b-versatile": {Prompt: 590_000, Completion: 790_000}, "grok-2-1212": {Prompt: 2_000_000, Completion: 10_000_000},
	}
}
