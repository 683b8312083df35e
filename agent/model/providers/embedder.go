package providers

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/teapot-tee/teapot/agent/character"
	"github.com/teapot-tee/teapot/agent/embed"
	"github.com/teapot-tee/teapot/agent/json5"
	"github.com/teapot-tee/teapot/agent/model"
	"github.com/teapot-tee/teapot/agent/model/openai"
)

// EmbedderFor follows USE_OPENAI_EMBEDDING and its like; without one of them vectors are made offline, so no text leaves.
func EmbedderFor(c *character.Character, client *http.Client) model.Embedder {
	for _, choice := range []struct {
		setting, provider, model string
		size                     int
	}{
		{"USE_OPENAI_EMBEDDING", "openai", "text-embedding-3-small", 1536},
		{"USE_OLLAMA_EMBEDDING", "ollama", "mxbai-embed-large", 1024},
		{"USE_GAIANET_EMBEDDING", "gaianet", "nomic-embed", 768},
		{"USE_HEURIST_EMBEDDING", "heurist", "BAAI/bge-large-en-v1.5", 1024},
	} {
		if v, _ := c.Setting(choice.setting); !strings.EqualFold(v, "true") {
			continue
		}
		p, ok := Lookup(choice.provider)
		s := resolve(c, p)
		if !ok || s.endpoint == "" {
			continue
		}
		name := choice.model
		if v := c.Document.Path("settings", "embeddingModel"); v.Kind == json5.String {
			name = cmp.Or(v.Text, name)
		}
		endpoint := s.endpoint
		if p.Wire == Ollama {
			endpoint = strings.TrimRight(endpoint, "/") + "/v1"
		}
		return openai.Embedder{Provider: p.Name, Endpoint: endpoint, Key: s.key, Model: name, Size: choice.size, Client: client}
	}
	return embed.Offline{}
}
