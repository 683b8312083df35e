package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent/bootstrap"
	"github.com/teapot-tee/teapot/agent/chains"
	"github.com/teapot-tee/teapot/agent/character"
	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/model/providers"
	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/plugins"
	"github.com/teapot-tee/teapot/agent/record"
	"github.com/teapot-tee/teapot/agent/spend"
	"github.com/teapot-tee/teapot/agent/tee"
)

// Agent is one running character. It is safe for concurrent use.
type Agent struct {
	config     Config
	character  *character.Character
	actions    []plugin.Action
	providers  []plugin.Provider
	evaluators []plugin.Evaluator
	services   []plugin.Service
	spent      *spend.Ledger

	mu      sync.Mutex
	rooms   map[string]plugin.RoomState
	closing bool           // nothing new is begun
	turns   sync.WaitGroup // messages in work
	cutting context.Context
	cut     context.CancelFunc // ends the messages in work

	background chan task
	stop       context.CancelFunc
	stopped    sync.WaitGroup
}

// New starts an agent. Close stops it.
func New(ctx context.Context, c Config) (*Agent, error) {
	if c.Character == nil || c.Log == nil || c.Memory == nil {
		return nil, errors.New("starting an agent: character, log and memory are needed")
	}
	if err := c.defaults(); err != nil {
		return nil, fmt.Errorf("starting agent %s: %w", c.Character.Name, err)
	}
	set, err := plugins.ForCharacter(ctx, c.Character)
	if err != nil {
		return nil, fmt.Errorf("starting agent %s: %w", c.Character.Name, err)
	}
	c.take(set)
	a, size := assemble(c), c.Log.Size()
	if err := errors.Join(a.recall(ctx), a.learn(ctx), a.audit(ctx)); err != nil {
		return nil, errors.Join(fmt.Errorf("starting agent %s: %w", a.Name(), err), a.stopServices())
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stop = stop
	a.stopped.Go(func() { a.work(run) })
	a.stopped.Go(func() { a.forget(run, size) })
	if err := a.startServices(run); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func assemble(c Config) *Agent {
	a := &Agent{
		config: c, character: c.Character, rooms: map[string]plugin.RoomState{}, background: make(chan task, 256),
		spent: spend.New(c.Character.ID, c.Spending),
	}
	a.cutting, a.cut = context.WithCancel(context.Background())
	a.install(bootstrap.Plugin())
	a.install(tee.Plugin())
	for _, p := range c.Plugins {
		a.install(p)
	}
	return a
}

func (c *Config) defaults() (err error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Model == nil {
		var note string
		if c.Model, note = providers.ForCharacter(c.Character, c.HTTP); note != "" {
			c.Logger.Warn(note, "agent", c.Character.Name)
		}
	}
	if c.Embedder == nil {
		c.Embedder = providers.EmbedderFor(c.Character, c.HTTP)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Timeout <= 0 {
		c.Timeout = 2 * time.Minute
	}
	if c.Conversation <= 0 {
		c.Conversation = 32
	}
	if c.Chains == nil {
		c.Chains, err = chains.FromSettings(c.Character.Setting, c.HTTP)
	}
	return err
}

// take adds what the character switched on.
func (c *Config) take(s plugins.Set) {
	c.Plugins = append(slices.Clone(c.Plugins), s.Plugins...)
	c.Hosts = append(slices.Clone(c.Hosts), s.Hosts...)
	c.HostKeys = maps.Clone(c.HostKeys)
	if c.HostKeys == nil {
		c.HostKeys = map[string]string{}
	}
	maps.Copy(c.HostKeys, s.HostKeys)
	for _, note := range s.Notes {
		c.Logger.Warn(note, "agent", c.Character.Name)
	}
}

// install adds a plugin's parts. Of two actions with one name the first counts: a plugin cannot replace a built-in one.
func (a *Agent) install(p plugin.Plugin) {
	for _, action := range p.Actions {
		if !slices.ContainsFunc(a.actions, func(o plugin.Action) bool { return o.Name == action.Name }) {
			a.actions = append(a.actions, action)
		}
	}
	a.providers = append(a.providers, p.Providers...)
	a.evaluators = append(a.evaluators, p.Evaluators...)
	a.services = append(a.services, p.Services...)
}

// recall brings the memory up to the log and reads the rooms' states from it.
func (a *Agent) recall(ctx context.Context) error {
	read, err := a.config.Memory.Rebuild(ctx, a.config.Log)
	if err != nil {
		return err
	}
	if read > 0 {
		a.config.Logger.InfoContext(ctx, "the memory was rebuilt from the log", "agent", a.Name(), "entries", read)
	}
	states, err := a.config.Memory.States(ctx)
	if err != nil {
		return err
	}
	for room, item := range states {
		if item.State != nil {
			a.rooms[room] = *item.State
		}
	}
	return nil
}

func (a *Agent) startServices(ctx context.Context) error {
	t := a.newTurn(ctx, plugin.Message{})
	for _, s := range a.services {
		if err := s.Start(ctx, t); err != nil {
			return fmt.Errorf("starting service %s: %w", s.ServiceType(), err)
		}
	}
	return nil
}

func (a *Agent) stopServices() error {
	var errs []error
	for _, s := range slices.Backward(a.services) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		errs = append(errs, s.Stop(ctx))
		cancel()
	}
	return errors.Join(errs...)
}

// ID is the agent's UUID.
func (a *Agent) ID() string { return a.character.ID }

// Name is the character's name.
func (a *Agent) Name() string { return a.character.Name }

// Character is what the agent was started with.
func (a *Agent) Character() *character.Character { return a.character }

// Log is the agent's log.
func (a *Agent) Log() record.Log { return a.config.Log }

// RoomSecret opens a whole conversation. It goes to the sender of the room's first message only.
func (a *Agent) RoomSecret(room string) []byte { return a.config.Log.RoomSecret(room) }

// HoldsRoom says whether a viewer holds a room's secret.
func (a *Agent) HoldsRoom(v actionlog.Viewer, room string) bool {
	return a.config.Log.HoldsRoom(v, room)
}

// Memory is the agent's memory.
func (a *Agent) Memory() *memory.Store { return a.config.Memory }

// ActionNames lists what the agent can do.
func (a *Agent) ActionNames() []string {
	names := make([]string, 0, len(a.actions))
	for _, action := range a.actions {
		names = append(names, action.Name)
	}
	return names
}

// find chooses an action by Eliza's rule: names in lower case without underscores; one contains the other; by name, else
// by simile. Unlike Eliza, a name of fewer than three letters matches nothing but itself.
func (a *Agent) find(name string) (plugin.Action, bool) {
	want := plain(name)
	if want == "" {
		return plugin.Action{}, false
	}
	for _, action := range a.actions {
		if plain(action.Name) == want {
			return action, true
		}
	}
	for _, action := range a.actions {
		if alike(plain(action.Name), want) {
			return action, true
		}
	}
	for _, action := range a.actions {
		for _, simile := range action.Similes {
			if alike(plain(simile), want) {
				return action, true
			}
		}
	}
	return plugin.Action{}, false
}

func plain(name string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "_", "")
}

func alike(a, b string) bool {
	if a == b {
		return true
	}
	return len(a) > 2 && len(b) > 2 && (strings.Contains(a, b) || strings.Contains(b, a))
}
