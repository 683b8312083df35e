package main_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

const serveTools = "serve-mcp-tools"

// TestMain is an MCP server when the agent under test starts this binary as one.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == serveTools {
		tools(os.Args[2])
		return
	}
	os.Exit(m.Run())
}

// tools serves one tool over stdio and leaves a line in a file for each start.
func tools(starts string) {
	f, err := os.OpenFile(starts, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		os.Exit(1)
	}
	fmt.Fprintln(f, os.Getpid())
	f.Close()
	s := sdk.NewServer(&sdk.Implementation{Name: "fake", Version: "1"}, nil)
	type pair struct{ A, B int }
	sdk.AddTool(s, &sdk.Tool{Name: "add", Description: "Adds"}, func(_ context.Context, _ *sdk.CallToolRequest, in pair) (*sdk.CallToolResult, any, error) {
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: fmt.Sprint(in.A + in.B)}}}, nil, nil
	})
	_ = s.Run(context.Background(), &sdk.StdioTransport{}) // ends with its input
}

// provider is an OpenAI-compatible server that keeps what it was sent.
type provider struct {
	*httptest.Server
	mu   sync.Mutex
	keys []string
}

func newProvider(t *testing.T, answer string) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.keys = append(p.keys, r.Header.Get("Authorization"))
		p.mu.Unlock()
		_ = json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]string{"content": answer}}}})
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) seen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.keys, " ")
}

// call sends JSON to the agent's server, with the operator's token if wanted.
func (s *server) call(t *testing.T, path, body string, token bool) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token {
		text, err := os.ReadFile(filepath.Join(s.data, "token"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+string(bytes.TrimSpace(text)))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

const character = `{"name":"Clerk","modelProvider":"openai","modelEndpointOverride":%q,"bio":"b","lore":[],"messageExamples":[],"postExamples":[],
"topics":[],"adjectives":[],"clients":[],"plugins":["teapot/dice"],"style":{"all":[],"chat":[],"post":[]},"settings":{%s"mcp":{"servers":{"desk":{"command":%q,"args":[%q,%q]}}}}}`

// A whole agent as a process: a model over HTTP, a tool of an MCP server, and what the token's holder may not do with them.
func TestAnAgentWithAModelAndTools(t *testing.T) {
	good := newProvider(t, "```json\n{\"user\":\"Clerk\",\"text\":\"Let me add.\",\"action\":\"MCP_DESK_ADD\",\"arguments\":{\"A\":2,\"B\":40}}\n```")
	evil := newProvider(t, "thanks for the key")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	starts, file := filepath.Join(dir, "starts"), filepath.Join(dir, "clerk.json")
	define := func(endpoint, secrets string) string {
		return fmt.Sprintf(character, endpoint, secrets, self, serveTools, starts)
	}
	if err := os.WriteFile(file, []byte(define(good.URL, `"secrets":{"OPENAI_API_KEY":"sk-operator"},`)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := launchCommand(t, filepath.Join(dir, "data"), "run", "--character", file)

	if status, answer := s.call(t, "/Clerk/message", `{"text":"what is 2 and 40?"}`, false); status != 200 || !strings.Contains(answer, "42") {
		t.Errorf("the tool: HTTP %d %s", status, answer)
	}
	if lines, err := os.ReadFile(starts); err != nil || strings.Count(string(lines), "\n") != 1 {
		t.Errorf("the tools were started more or less than once: %q %v", lines, err)
	}
	if got := good.seen(); got != "Bearer sk-operator" {
		t.Errorf("the provider was sent %q", got)
	}

	other := strings.NewReplacer("Clerk", "Poster", `"clients":[]`, `"clients":["twitter"]`).Replace(define(good.URL, ""))
	if status, answer := s.call(t, "/agent/start", `{"characterJson":`+strings.Split(other, `"settings"`)[0]+`"settings":{}}}`, true); status != http.StatusBadRequest || !strings.Contains(answer, "boot statement") || !strings.Contains(answer, "twitter") {
		t.Errorf("a plugin beyond the boot statement: HTTP %d %s", status, answer)
	}

	id := s.agent(t)
	set := strings.Split(define(evil.URL, ""), `"settings"`)[0] + `"settings":{}}`
	status, answer := s.call(t, "/agents/"+id+"/set", set, true)
	if status != 200 || !strings.Contains(answer, "modelEndpointOverride") || !strings.Contains(answer, "not carried over") {
		t.Errorf("pointing the key elsewhere: HTTP %d %s", status, answer)
	}
	if status, _ := s.call(t, "/Clerk/message", `{"text":"hello"}`, false); status != 200 {
		t.Errorf("afterwards: HTTP %d", status)
	}
	if strings.Contains(evil.seen(), "sk-operator") {
		t.Errorf("another server was sent %q", evil.seen())
	}
}

// declared is the digest of the character that the boot statement in force names, and shown that of the one which answers.
func (s *server) declared(t *testing.T, id string) (declared, shown string) {
	t.Helper()
	get := func(path string, into any) {
		resp, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	var e struct{ Parts [][]byte }
	get("/v1/evidence", &e)
	var part struct{ Agent, Character string }
	for _, raw := range e.Parts {
		if err := json.Unmarshal(raw, &part); err != nil {
			t.Fatal(err)
		}
	}
	var a struct{ Character json.RawMessage }
	get("/agents/"+id, &a)
	sum := sha256.Sum256(a.Character)
	return part.Character, hex.EncodeToString(sum[:])
}

// A change that fails half-way is taken back in the boot statement too: what answers is always what the statement names.
func TestAFailedChangeIsTakenBack(t *testing.T) {
	s := launchCommand(t, filepath.Join(t.TempDir(), "data"), "run")
	id := s.agent(t)
	before, shown := s.declared(t, id)
	if before != shown {
		t.Fatalf("the statement names %s, %s answers", before, shown)
	}
	resp, err := http.Get(s.url + "/agents/" + id)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var a struct{ Character map[string]any }
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	change := func(member string, value any) (int, string) {
		a.Character[member] = value
		body, err := json.Marshal(a.Character)
		if err != nil {
			t.Fatal(err)
		}
		return s.call(t, "/agents/"+id+"/set", string(body), true)
	}
	if status, answer := change("knowledge", []any{map[string]string{"path": "nosuch.md"}}); status != http.StatusInternalServerError || !strings.Contains(answer, "knowledge.0") {
		t.Errorf("a change that cannot be: HTTP %d %s", status, answer)
	}
	if declared, shown := s.declared(t, id); declared != before || shown != before {
		t.Errorf("afterwards the statement names %s, %s answers, before it was %s", declared, shown, before)
	}
	if status, answer := s.call(t, "/"+id+"/message", `{"text":"hello"}`, false); status != http.StatusOK {
		t.Errorf("afterwards: HTTP %d %s", status, answer)
	}
	delete(a.Character, "knowledge")
	if status, answer := change("bio", "changed"); status != http.StatusOK {
		t.Fatalf("a change that can be: HTTP %d %s", status, answer)
	}
	if declared, shown := s.declared(t, id); declared != shown || declared == before {
		t.Errorf("after a change the statement names %s, %s answers", declared, shown)
	}
	if v := (reader{t.TempDir()}).verify(t, s.url, "--allow-simulated"); v.Exit != 0 {
		t.Errorf("a reader says %s", v.Headline)
	}
}
