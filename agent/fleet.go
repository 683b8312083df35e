package agent

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Fleet is the agents of one process. They share nothing but the machine: each has its own log, keys, memory, secrets and
// rooms, and the panic or dead model of one does not reach another. The zero Fleet is empty. It is safe for concurrent use.
type Fleet struct {
	mu     sync.RWMutex
	agents []*Agent
}

// Add puts an agent in. An id can be there only once.
func (f *Fleet) Add(a *Agent) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.ContainsFunc(f.agents, func(o *Agent) bool { return o.ID() == a.ID() }) {
		return fmt.Errorf("an agent with id %s is running already", a.ID())
	}
	f.agents = append(f.agents, a)
	return nil
}

// Replace puts an agent in the place of the one with the same id, and returns the old one, not closed; nil if there was none.
func (f *Fleet) Replace(a *Agent) *Agent {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, old := range f.agents {
		if old.ID() == a.ID() {
			f.agents[i] = a
			return old
		}
	}
	f.agents = append(f.agents, a)
	return nil
}

// Remove takes an agent out and returns it, not closed.
func (f *Fleet) Remove(id string) (*Agent, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, a := range f.agents {
		if a.ID() == id {
			f.agents = slices.Delete(f.agents, i, i+1)
			return a, true
		}
	}
	return nil, false
}

// Get finds an agent by id, then by name in any case, as Eliza does.
func (f *Fleet) Get(idOrName string) (*Agent, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, same := range []func(*Agent) bool{
		func(a *Agent) bool { return strings.EqualFold(a.ID(), idOrName) },
		func(a *Agent) bool { return a.Name() == idOrName },
		func(a *Agent) bool { return strings.EqualFold(a.Name(), idOrName) },
	} {
		if i := slices.IndexFunc(f.agents, same); i >= 0 {
			return f.agents[i], true
		}
	}
	return nil, false
}

// All returns the agents by name.
func (f *Fleet) All() []*Agent {
	f.mu.RLock()
	defer f.mu.RUnlock()
	list := slices.Clone(f.agents)
	slices.SortFunc(list, func(a, b *Agent) int { return cmp.Or(cmp.Compare(a.Name(), b.Name()), cmp.Compare(a.ID(), b.ID())) })
	return list
}

// Close closes all agents.
func (f *Fleet) Close() error {
	var errs []error
	for _, a := range f.All() {
		errs = append(errs, a.Close())
		f.Remove(a.ID())
	}
	return errors.Join(errs...)
}
