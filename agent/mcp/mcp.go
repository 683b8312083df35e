// Package mcp makes the tools of MCP servers into actions. A server is outside: another process, not measured with the agent.
// It gets the arguments of a call and nothing else: an environment of its own without the process's variables, no secret, no
// key, no conversation. What it answers is foreign text; it is shown as such and never read as a choice of action.
package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/teapot-tee/teapot/agent/plugin"
)

// Server is one server of the configuration: a command on this machine or a URL.
type Server struct {
	Name    string   `json:"name"`
	Command []string `json:"command,omitempty"`
	URL     string   `json:"url,omitempty"`
	Tools   []string `json:"tools,omitempty"` // names of the tools that may be used; empty = all
}

// Session is a connection to one server.
type Session struct {
	server  Server
	session *sdk.ClientSession
	tools   []*sdk.Tool
}

const (
	connectTimeout = 20 * time.Second
	callTimeout    = 60 * time.Second
	maxTools       = 64
	maxAnswer      = 16 << 10 // bytes of an answer that are shown
)

// Connect starts or reaches a server and lists its tools.
func Connect(ctx context.Context, s Server) (*Session, error) {
	transport, err := s.transport(ctx)
	if err != nil {
		return nil, err
	}
	return connect(ctx, s, transport)
}

func connect(ctx context.Context, s Server, transport sdk.Transport) (*Session, error) {
	limited, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	client := sdk.NewClient(&sdk.Implementation{Name: "teapot", Version: "1"}, nil)
	session, err := client.Connect(limited, transport, nil)
	if err != nil {
		return nil, fmt.Errorf("MCP server %s: %w", s.Name, err)
	}
	out := &Session{server: s, session: session}
	list, err := session.ListTools(limited, nil)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("MCP server %s: listing its tools: %w", s.Name, err), session.Close())
	}
	for _, tool := range list.Tools {
		if s.allows(tool.Name) && len(out.tools) < maxTools {
			out.tools = append(out.tools, tool)
		}
	}
	return out, nil
}

func (s Server) allows(tool string) bool {
	if len(s.Tools) == 0 {
		return true
	}
	for _, name := range s.Tools {
		if name == tool {
			return true
		}
	}
	return false
}

func (s Server) transport(ctx context.Context) (sdk.Transport, error) {
	switch {
	case len(s.Command) > 0:
		cmd := exec.CommandContext(context.WithoutCancel(ctx), s.Command[0], s.Command[1:]...)
		cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent"} // none of ours: secrets live there
		return &sdk.CommandTransport{Command: cmd}, nil
	case strings.HasPrefix(s.URL, "https://") || strings.HasPrefix(s.URL, "http://127.0.0.1:") || strings.HasPrefix(s.URL, "http://localhost:"):
		return &sdk.StreamableClientTransport{Endpoint: s.URL, HTTPClient: &http.Client{Timeout: callTimeout, CheckRedirect: stay}}, nil
	}
	return nil, fmt.Errorf("MCP server %s: needs a command, or a URL that is https or on this machine", s.Name)
}

// stay keeps what the agent tells a server at the address that the measured character names: the server does not choose another.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Close ends the session and the process behind it.
func (s *Session) Close() error { return s.session.Close() }

// ServiceType makes the session a service, so that it ends with its agent.
func (s *Session) ServiceType() string { return "mcp/" + s.server.Name }

// Start does nothing: Connect did.
func (s *Session) Start(context.Context, plugin.Runtime) error { return nil }

// Stop closes the session.
func (s *Session) Stop(context.Context) error { return s.Close() }

// Plugin returns the tools as actions.
func (s *Session) Plugin() plugin.Plugin {
	p := plugin.Plugin{Name: s.ServiceType(), Description: "Tools of the MCP server " + s.server.Name, Services: []plugin.Service{s}}
	for _, tool := range s.tools {
		p.Actions = append(p.Actions, s.action(tool))
	}
	return p
}

func (s *Session) action(tool *sdk.Tool) plugin.Action {
	return plugin.Action{
		Name: "MCP_" + upper(s.server.Name) + "_" + upper(tool.Name), Description: describe(tool),
		Handler: func(ctx context.Context, c plugin.Call) error { return s.use(ctx, tool, c) },
	}
}

var notWord = regexp.MustCompile(`[^A-Z0-9]+`)

func upper(name string) string {
	return strings.Trim(notWord.ReplaceAllString(strings.ToUpper(name), "_"), "_")
}

// describe is one line: a server's words stand in the prompt, so they must not look like a section of it.
func describe(tool *sdk.Tool) string {
	text := strings.Join(strings.Fields(strings.ReplaceAll(tool.Description, "#", "")), " ")
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	if schema, err := json.Marshal(tool.InputSchema); err == nil && len(schema) < 1500 {
		text += " Put its arguments into the member \"arguments\" of your answer; their schema: " + string(schema)
	}
	return text
}

// use calls the tool with the arguments that the model wrote. The gate has recorded the intent with them.
func (s *Session) use(ctx context.Context, tool *sdk.Tool, c plugin.Call) error {
	var options struct {
		Arguments json.RawMessage `json:"arguments"`
	}
	if len(c.Options) > 0 {
		if err := json.Unmarshal(c.Options, &options); err != nil {
			return fmt.Errorf("the arguments are no JSON: %w", err)
		}
	}
	var arguments any = map[string]any{}
	if len(options.Arguments) > 0 {
		arguments = options.Arguments
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	result, err := s.session.CallTool(ctx, &sdk.CallToolParams{Name: tool.Name, Arguments: arguments})
	if err != nil {
		return fmt.Errorf("the tool %s: %w", tool.Name, err)
	}
	text := words(result)
	if result.IsError {
		return fmt.Errorf("the tool %s answers an error: %.300s", tool.Name, text)
	}
	c.Reply(plugin.Content{Text: fmt.Sprintf("%s says: %s", s.server.Name, text), Action: "NONE", Source: "mcp:" + s.server.Name})
	return nil
}

func words(r *sdk.CallToolResult) string {
	var parts []string
	for _, c := range r.Content {
		if t, ok := c.(*sdk.TextContent); ok {
			parts = append(parts, t.Text)
		}
	}
	text := strings.ToValidUTF8(strings.Join(parts, "\n"), "\ufffd")
	if len(text) > maxAnswer {
		text = strings.ToValidUTF8(text[:maxAnswer], "") + "…"
	}
	return text
}
