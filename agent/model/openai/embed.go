package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/teapot-tee/teapot/agent/model"
	"github.com/teapot-tee/teapot/agent/model/wire"
)

// Embedder is a provider's embeddings endpoint.
type Embedder struct {
	Provider, Endpoint, Key, Model string
	Size                           int // numbers per vector
	Client                         *http.Client
}

var _ model.Embedder = Embedder{}

// Name says which vectors can be compared.
func (e Embedder) Name() string { return e.Provider + "/" + e.Model }

// Dimensions is what was configured.
func (e Embedder) Dimensions() int { return e.Size }

// Embed asks for the vectors of texts.
func (e Embedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	body, err := json.Marshal(map[string]any{"input": texts, "model": e.Model, "dimensions": e.Size})
	if err != nil {
		return nil, fmt.Errorf("writing the request: %w", err)
	}
	h := http.Header{}
	if e.Key != "" {
		h.Set("Authorization", "Bearer "+e.Key)
	}
	var x model.Exchange
	call := wire.Call{URL: strings.TrimRight(e.Endpoint, "/") + "/embeddings", Header: h, Body: body}
	if err := (wire.Client{HTTP: e.Client}).Do(ctx, call, &x); err != nil {
		return nil, err
	}
	var got struct {
		Data []struct {
			Index     int       `json:"index"`
			Embedding []float32 `json:"embedding"`
		} `json:"data"`
	}
	if err := json.Unmarshal(x.Response, &got); err != nil {
		return nil, fmt.Errorf("the embeddings are no JSON: %w", err)
	}
	out := make([][]float32, len(texts))
	for _, d := range got.Data {
		if d.Index < 0 || d.Index >= len(out) || len(d.Embedding) != e.Size {
			return nil, fmt.Errorf("embedding %d has %d numbers, want %d", d.Index, len(d.Embedding), e.Size)
		}
		out[d.Index] = d.Embedding
	}
	for i, v := range out {
		if v == nil {
			return nil, fmt.Errorf("embedding %d is missing", i)
		}
	}
	return out, nil
}
