// Package plugins chooses the compiled-in plugins that a character names. Eliza imports packages by name at run time; Teapot
// is measured, so a name can only switch on what is in the binary, and an unknown name is reported, never fetched.
package plugins

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/agent/character"
	"github.com/teapot-tee/teapot/agent/dice"
	"github.com/teapot-tee/teapot/agent/json5"
	"github.com/teapot-tee/teapot/agent/mcp"
	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/twitter"
)

// Set is what a character switches on.
type Set struct {
	Plugins  []plugin.Plugin
	Hosts    []string          // that the plugins may fetch from
	HostKeys map[string]string // secret → the host that may have it
	Notes    []string          // for the operator
}

// built says which of Eliza's names are part of every agent.
var built = []string{"bootstrap", "plugin-bootstrap", "tee", "plugin-tee", "plugin-tee-log", "plugin-sgx", "plugin-tee-verifiable-log", "plugin-node", "plugin-solana", "plugin-evm"}

// Names lists what a character switches on beyond what every agent has, for the boot statement.
func Names(c *character.Character) []string {
	var names []string
	for _, name := range c.Plugins {
		if base(name) == "dice" {
			names = append(names, "dice")
		}
	}
	if slices.Contains(c.Clients, "twitter") {
		names = append(names, "twitter")
	}
	for _, s := range servers(c) {
		names = append(names, "mcp/"+s.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// ForCharacter makes the set. MCP servers are started; an agent's Close ends them.
func ForCharacter(ctx context.Context, c *character.Character) (Set, error) {
	s := Set{HostKeys: map[string]string{}}
	for _, name := range c.Plugins {
		switch {
		case base(name) == "dice":
			s.Plugins = append(s.Plugins, dice.Plugin())
		case !slices.Contains(built, base(name)):
			s.Notes = append(s.Notes, fmt.Sprintf("plugin %q is not compiled in and was left out; plugins are Go packages (docs/eliza.md)", name))
		}
	}
	if slices.Contains(c.Clients, "twitter") {
		s.twitter(c)
	}
	for _, client := range c.Clients {
		if client != "twitter" && client != "direct" {
			s.Notes = append(s.Notes, fmt.Sprintf("client %q is not there; REST and the terminal are", client))
		}
	}
	return s, s.connect(ctx, c)
}

// twitter is a dry run unless the character says otherwise and holds the token.
func (s *Set) twitter(c *character.Character) {
	o := twitter.Options{}
	_, token := c.Secret(twitter.Secret)
	if dry, _ := c.Setting("TWITTER_DRY_RUN"); token && strings.EqualFold(dry, "false") {
		o.Send = true
		s.Hosts, s.HostKeys[twitter.Secret] = append(s.Hosts, twitter.Host), twitter.Host
	} else {
		s.Notes = append(s.Notes, "twitter: dry run; posts are recorded and not sent (set TWITTER_DRY_RUN=false and "+twitter.Secret+" to send)")
	}
	if minutes, _ := c.Setting("POST_INTERVAL"); minutes != "" {
		if n, err := strconv.Atoi(minutes); err == nil && n > 0 {
			o.Every = time.Duration(n) * time.Minute
		}
	}
	s.Plugins = append(s.Plugins, twitter.Plugin(o))
}

// servers reads settings.mcp.servers: {name: {command, args, url, tools}}.
func servers(c *character.Character) (list []mcp.Server) {
	for _, m := range c.Document.Path("settings", "mcp", "servers").Members {
		s := mcp.Server{Name: m.Name, URL: m.Value.Path("url").Text, Tools: m.Value.Path("tools").Strings()}
		if command := m.Value.Path("command"); command.Kind == json5.String {
			s.Command = append([]string{command.Text}, m.Value.Path("args").Strings()...)
		} else if command.Kind == json5.Array {
			s.Command = command.Strings()
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b mcp.Server) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// connect starts the MCP servers. One that cannot be reached is an error: an agent without its tools is another agent.
func (s *Set) connect(ctx context.Context, c *character.Character) error {
	var open []*mcp.Session
	for _, server := range servers(c) {
		if c.Path == "" && len(server.Command) > 0 {
			return fmt.Errorf("settings.mcp.servers.%s: only a character file may start programs, not a character sent over the network", server.Name)
		}
		session, err := mcp.Connect(ctx, server)
		if err != nil {
			for _, o := range open {
				err = errors.Join(err, o.Close())
			}
			return err
		}
		open = append(open, session)
		s.Plugins = append(s.Plugins, session.Plugin())
	}
	return nil
}
