package providers

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teapot-tee/teapot/agent/character"
	"github.com/teapot-tee/teapot/agent/model"
	"github.com/teapot-tee/teapot/agent/model/anthropic"
	"github.com/teapot-tee/teapot/agent/model/ollama"
	"github.com/teapot-tee/teapot/agent/model/openai"
	"github.com/teapot-tee/teapot/agent/model/wire"
	"github.com/teapot-tee/teapot/keys"
)

func TestTableIsElizas(t *testing.T) {
	dir := os.Getenv("TEAPOT_SHARED")
	if dir == "" {
		dir = "../../../../shared"
	}
	data, err := os.ReadFile(filepath.Join(dir, "vectors/eliza.json"))
	if err != nil {
		t.Skipf("the shared vectors are not here: %v", err)
	}
	type line struct {
		Endpoint, Small, Medium, Large, Embedding, Image string
		EmbDim, MaxIn, MaxOut                            int
		Temperature, FP, PP, RP                          float64
		Stop                                             []string
	}
	var v struct{ Models map[string]*line }
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Models) != len(table()) || len(table()) != len(character.Providers) {
		t.Errorf("%d providers in the vectors, %d in the table, %d in the schema", len(v.Models), len(table()), len(character.Providers))
	}
	for i, p := range table() {
		want := v.Models[p.Name]
		if p.Name != character.Providers[i] {
			t.Errorf("place %d: %s, the schema has %s", i, p.Name, character.Providers[i])
		}
		if want == nil {
			if !p.Absent {
				t.Errorf("%s has no models in Eliza", p.Name)
			}
			continue
		}
		if want.Stop != nil && len(want.Stop) == 0 {
			want.Stop = nil
		}
		got := &line{
			p.Endpoint, p.Models[0], p.Models[1], p.Models[2], p.Embedding, p.Image, p.Dimensions, p.MaxIn, p.MaxOut,
			p.Temperature, p.FrequencyPenalty, p.PresencePenalty, p.RepetitionPenalty, p.Stop,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p.Name, diff)
		}
	}
}

// fake is a provider that speaks the real wires and remembers what it was sent.
type fake struct {
	*httptest.Server
	mu      sync.Mutex
	request []byte
	header  http.Header
	answer  func(w http.ResponseWriter, r *http.Request)
}

func newFake(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) *fake {
	t.Helper()
	f := &fake{answer: answer}
	f.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.Method == http.MethodPost {
			f.mu.Lock()
			f.request, f.header = body, r.Header.Clone()
			f.mu.Unlock()
		}
		f.answer(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func writes(contentType, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		io.WriteString(w, body)
	}
}

var ask = model.Request{Class: model.Large, System: "sys", Prompt: "hello <b>"}

func TestOpenAI(t *testing.T) {
	f := newFake(t, writes("application/json", `{"id":"c1","choices":[{"message":{"role":"assistant","content":"hi"}}],"usage":{"prompt_tokens":1000,"completion_tokens":100}}`))
	m := openai.New(openai.Config{
		Provider: "openai", Endpoint: f.URL + "/v1/", Key: "sk-key", Models: [3]string{"s", "m", "gpt-4o"}, Temperature: 0.6, MaxTokens: 8192, Prices: prices(),
	}, f.Client())
	out, err := m.Complete(t.Context(), ask)
	if err != nil || out.Text != "hi" {
		t.Fatalf("%q %v", out.Text, err)
	}
	var sent map[string]any
	if err := json.Unmarshal(f.request, &sent); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"model": "gpt-4o", "max_tokens": 8192.0, "temperature": 0.6, "frequency_penalty": 0.0, "presence_penalty": 0.0,
		"messages": []any{map[string]any{"role": "system", "content": "sys"}, map[string]any{"role": "user", "content": "hello <b>"}},
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if f.header.Get("Authorization") != "Bearer sk-key" || !bytes.Equal(out.Request, f.request) || out.Usage.Cost != 3500 {
		t.Errorf("header %v, cost %d, exact request %v", f.header, out.Usage.Cost, bytes.Equal(out.Request, f.request))
	}
	leaf := sha256.Sum256(f.Certificate().Raw)
	if out.TLS == nil || out.TLS.LeafSHA256 != hex.EncodeToString(leaf[:]) || out.TLS.Version == "" {
		t.Errorf("TLS identity %+v", out.TLS)
	}
	if bytes.Contains(out.Request, []byte("sk-key")) {
		t.Error("the key is in the recorded request")
	}
}

const openAIStream = ": comment\n\ndata: {\"id\":\"c1\",\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n" +
	"data: {\"choices\":[{\"delta\":{\"content\":\"he\"}}]}\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"y\"}}]}\n\n" +
	"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n"

func TestStreams(t *testing.T) {
	for name, c := range map[string]struct {
		body, media string
		open        func(f *fake) model.Model
	}{
		"openai": {openAIStream, "text/event-stream; charset=utf-8", func(f *fake) model.Model {
			return openai.New(openai.Config{Endpoint: f.URL, Models: [3]string{"a", "b", "c"}}, f.Client())
		}},
		"anthropic": {
			"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":3}}}\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n" +
				"data: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"he\"}}\n\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"y\"}}\n\n" +
				"data: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":2}}\n\ndata: {\"type\":\"message_stop\"}\n\n", "text/event-stream",
			func(f *fake) model.Model {
				return anthropic.New(anthropic.Config{Endpoint: f.URL, MaxTokens: 10}, f.Client())
			},
		},
		"ollama": {
			"{\"message\":{\"content\":\"he\"}}\n{\"message\":{\"content\":\"y\"}}\n{\"message\":{\"content\":\"\"},\"done\":true,\"prompt_eval_count\":3,\"eval_count\":2}\n",
			"application/x-ndjson", func(f *fake) model.Model { return ollama.New(ollama.Config{Endpoint: f.URL}, f.Client()) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, writes(c.media, c.body))
			var pieces []string
			r := ask
			r.Stream = func(text string) { pieces = append(pieces, text) }
			out, err := c.open(f).Complete(t.Context(), r)
			if err != nil || out.Text != "hey" || strings.Join(pieces, "|") != "he|y" {
				t.Errorf("%q %v %v", out.Text, pieces, err)
			}
			if string(out.Response) != c.body || out.Usage.Prompt != 3 || out.Usage.Completion != 2 {
				t.Errorf("usage %+v; %d of %d bytes kept", out.Usage, len(out.Response), len(c.body))
			}
		})
	}
}

func TestAnthropicAndOllamaWhole(t *testing.T) {
	f := newFake(t, writes("application/json", `{"content":[{"type":"text","text":"hi"}],"usage":{"input_tokens":1,"output_tokens":1}}`))
	out, err := anthropic.New(anthropic.Config{Endpoint: f.URL, Key: "k", Models: [3]string{"", "", "claude"}, MaxTokens: 4096}, f.Client()).Complete(t.Context(), ask)
	if err != nil || out.Text != "hi" || f.header.Get("X-Api-Key") != "k" || f.header.Get("Anthropic-Version") != anthropic.Version {
		t.Errorf("%q %v %v", out.Text, err, f.header)
	}
	f = newFake(t, writes("application/json", `{"message":{"role":"assistant","content":"hi"},"done":true}`))
	if out, err = ollama.New(ollama.Config{Endpoint: f.URL, Models: [3]string{"", "", "l"}}, f.Client()).Complete(t.Context(), ask); err != nil || out.Text != "hi" {
		t.Errorf("%q %v", out.Text, err)
	}
}

func TestBadAnswersAreErrors(t *testing.T) {
	for name, body := range map[string]string{
		"html": "<html>", "empty": "", "no choices": `{"choices":[]}`, "error": `{"error":{"message":"overloaded"}}`, "null": "null",
		"blank": `{"choices":[{"message":{"content":"  "}}]}`, "huge": `{"choices":[{"message":{"content":"` + strings.Repeat("x", wire.MaxAnswer+10),
	} {
		f := newFake(t, writes("application/json", body))
		out, err := openai.New(openai.Config{Endpoint: f.URL}, f.Client()).Complete(t.Context(), ask)
		if err == nil || len(out.Response) > wire.MaxAnswer {
			t.Errorf("%s: %v, %d bytes kept", name, err, len(out.Response))
		}
		if name == "huge" && !out.Truncated {
			t.Error("a huge answer is not marked")
		}
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://elsewhere.example/", http.StatusTemporaryRedirect)
	})
	client := wire.NewHTTP()
	client.Transport = f.Client().Transport
	_, err := openai.New(openai.Config{Endpoint: f.URL, Key: "k"}, client).Complete(t.Context(), ask)
	if status, ok := errors.AsType[*model.StatusError](err); !ok || status.Status != 307 {
		t.Errorf("got %v", err)
	}
}

func TestRetriesAreBounded(t *testing.T) {
	var calls atomic.Int32
	for name, c := range map[string]struct {
		status int
		want   int32
	}{"503": {503, 3}, "429": {429, 3}, "401": {401, 1}, "400": {400, 1}} {
		calls.Store(0)
		f := newFake(t, func(w http.ResponseWriter, _ *http.Request) { calls.Add(1); w.WriteHeader(c.status) })
		m := model.Patient{Model: openai.New(openai.Config{Endpoint: f.URL}, f.Client()), Backoff: time.Millisecond}
		out, err := m.Complete(t.Context(), ask)
		if err == nil || calls.Load() != c.want || out.Attempts != int(c.want) {
			t.Errorf("%s: %d calls, %d attempts, %v", name, calls.Load(), out.Attempts, err)
		}
	}
}

func TestAHangingModelEnds(t *testing.T) {
	release := make(chan struct{})
	f := newFake(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	m := model.Patient{Model: openai.New(openai.Config{Endpoint: f.URL}, f.Client()), Timeout: 20 * time.Millisecond, Total: 100 * time.Millisecond, Backoff: time.Millisecond}
	start := time.Now()
	if _, err := m.Complete(t.Context(), ask); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}

// signing is a provider of confidential inference: it signs hex SHA-256 of request ":" hex SHA-256 of response.
func signing(t *testing.T, sign func(text string) string, change string) *fake {
	const body = `{"id":"c1","choices":[{"message":{"content":"hi"}}]}`
	var f *fake
	f = newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/signature/c1") {
			q, a := sha256.Sum256(f.request), sha256.Sum256([]byte(body+change))
			text := fmt.Sprintf("%x:%x", q, a)
			json.NewEncoder(w).Encode(map[string]string{"text": text, "signature": sign(text)})
			return
		}
		writes("application/json", body)(w, r)
	})
	return f
}

func TestProviderSignatures(t *testing.T) {
	evm, err := keys.NewEVM([32]byte{8})
	if err != nil {
		t.Fatal(err)
	}
	ed := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32))
	ecdsa := func(text string) string { s := evm.SignMessage([]byte(text)); return "0x" + hex.EncodeToString(s[:]) }
	edSign := func(text string) string { return hex.EncodeToString(ed25519.Sign(ed, []byte(text))) }
	for name, c := range map[string]struct {
		algorithm, signer, change string
		sign                      func(string) string
		want                      bool
	}{
		"ecdsa":           {"ecdsa", evm.Address(), "", ecdsa, true},
		"ed25519":         {"ed25519", hex.EncodeToString(ed.Public().(ed25519.PublicKey)), "", edSign, true},
		"other signer":    {"ecdsa", "0x0000000000000000000000000000000000000001", "", ecdsa, false},
		"nobody expected": {"ecdsa", "", "", ecdsa, false},
		"other bytes":     {"ecdsa", evm.Address(), "x", ecdsa, false},
		"garbage":         {"ecdsa", evm.Address(), "", func(string) string { return "0x00" }, false},
	} {
		f := signing(t, c.sign, c.change)
		m := openai.New(openai.Config{Endpoint: f.URL, Models: [3]string{"m", "m", "m"}, Signatures: openai.Signatures{Algorithm: c.algorithm, Signer: c.signer}}, f.Client())
		out, err := m.Complete(t.Context(), ask)
		if err != nil || out.Signature == nil || out.Signature.Verified != c.want || out.Signature.Detail == "" {
			t.Errorf("%s: %v %+v", name, err, out.Signature)
		}
	}
}

func load(t *testing.T, more string, env map[string]string) *character.Character {
	t.Helper()
	text := `{"name":"X","bio":"b","lore":[],"messageExamples":[],"postExamples":[],"topics":[],"adjectives":[],"clients":[],"plugins":[],"style":{"all":[],"chat":[],"post":[]},` + more + `}`
	c, err := character.Parse([]byte(text), character.Options{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSettingsOverrideTheTable(t *testing.T) {
	f := newFake(t, writes("application/json", `{"choices":[{"message":{"content":"hi"}}]}`))
	c := load(t, `"modelProvider":"openai","settings":{"secrets":{"OPENAI_API_KEY":"from-secrets"},"modelConfig":{"temperature":0.1,"max_response_length":77}}`,
		map[string]string{"OPENAI_API_URL": f.URL, "OPENAI_API_KEY": "from-env", "LARGE_OPENAI_MODEL": "my-model"})
	m, note := ForCharacter(c, f.Client())
	if _, err := m.Complete(t.Context(), ask); err != nil || note != "" {
		t.Fatalf("%v %q", err, note)
	}
	var sent struct {
		Model       string
		Temperature float64
		MaxTokens   int `json:"max_tokens"`
	}
	if err := json.Unmarshal(f.request, &sent); err != nil {
		t.Fatal(err)
	}
	if sent.Model != "my-model" || sent.Temperature != 0.1 || sent.MaxTokens != 77 || f.header.Get("Authorization") != "Bearer from-secrets" {
		t.Errorf("%+v with %s", sent, f.header.Get("Authorization"))
	}
}

func TestWithoutItsKeyAModelSaysWhatToSet(t *testing.T) {
	for provider, want := range map[string]string{"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY or CLAUDE_API_KEY", "bedrock": "does not speak", "letzai": "does not speak"} {
		m, note := ForCharacter(load(t, `"modelProvider":"`+provider+`"`, nil), nil)
		_, err := m.Complete(t.Context(), ask)
		if !errors.Is(err, model.ErrUnconfigured) || !strings.Contains(note, want) {
			t.Errorf("%s: %v, note %q", provider, err, note)
		}
	}
}

func TestEmbeddings(t *testing.T) {
	f := newFake(t, writes("application/json", `{"data":[{"index":1,"embedding":[0,1]},{"index":0,"embedding":[1,0]}]}`))
	e := openai.Embedder{Provider: "p", Endpoint: f.URL, Model: "m", Size: 2, Client: f.Client()}
	got, err := e.Embed(t.Context(), []string{"a", "b"})
	if err != nil || got[0][0] != 1 || got[1][1] != 1 {
		t.Errorf("%v %v", got, err)
	}
	if _, err := e.Embed(t.Context(), []string{"a", "b", "c"}); err == nil {
		t.Error("a missing vector")
	}
	e.Size = 3
	if _, err := e.Embed(t.Context(), []string{"a", "b"}); err == nil {
		t.Error("vectors of another size")
	}
	c := load(t, `"modelProvider":"openai"`, map[string]string{"USE_OPENAI_EMBEDDING": "TRUE", "OPENAI_API_KEY": "k"})
	if got := EmbedderFor(c, nil); got.Dimensions() != 1536 || got.Name() != "openai/text-embedding-3-small" {
		t.Errorf("%s of %d", got.Name(), got.Dimensions())
	}
	if got := EmbedderFor(load(t, `"modelProvider":"openai"`, nil), nil); got.Dimensions() != 384 {
		t.Errorf("the default is %s", got.Name())
	}
}

func TestEveryProviderCanBeReachedThroughAProxy(t *testing.T) {
	f := newFake(t, writes("application/json", `{"content":[{"type":"text","text":"hi"}]}`))
	c := load(t, `"modelProvider":"anthropic"`, map[string]string{"ANTHROPIC_API_URL": f.URL, "ANTHROPIC_API_KEY": "k"})
	m, note := ForCharacter(c, f.Client())
	got, err := m.Complete(t.Context(), ask)
	if err != nil || note != "" || got.Text != "hi" || f.header.Get("X-Api-Key") != "k" {
		t.Errorf("%+v %v, note %q", got, err, note)
	}
}
