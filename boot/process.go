package boot

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys/wallets"
)

// Agent returns an agent by id.
func (p *Process) Agent(id string) (*Agent, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	a, ok := p.agents[id]
	return a, ok
}

// Agents returns all agents, by name.
func (p *Process) Agents() []*Agent { return p.all() }

func (p *Process) all() []*Agent {
	return p.with(nil)
}

// with are all agents, those changed in their place.
func (p *Process) with(changed []*Agent) []*Agent {
	p.mu.RLock()
	defer p.mu.RUnlock()
	byID := maps.Clone(p.agents)
	for _, a := range changed {
		byID[a.ID] = a
	}
	list := slices.Collect(maps.Values(byID))
	slices.SortFunc(list, func(a, b *Agent) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return list
}

// Part is what the boot statement in force says about the agent.
func (a *Agent) Part() evidence.AgentPart { return a.part }

// Wallets are the agent's opened wallets. Only the agent's gate may sign with them.
func (a *Agent) Wallets() []*wallets.Wallet { return a.wallets }

// MemoryKey encrypts the agent's memory, a projection of its log.
func (a *Agent) MemoryKey() [32]byte { return a.memory }

func walletLines(opened []*wallets.Wallet) []evidence.Wallet {
	lines := []evidence.Wallet{}
	for _, w := range opened {
		lines = append(lines, w.Statement())
	}
	return lines
}

// Platform is the attester's platform.
func (p *Process) Platform() string { return p.config.Attester.Platform() }

// Simulated says that nothing here proves anything about hardware: a simulator can be of any platform. Readers need not believe it.
func (p *Process) Simulated() bool { return p.config.Simulated || p.Platform() == "simulator" }

// Evidence is the newest boot statement with its quote.
func (p *Process) Evidence() *evidence.Evidence {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.current
}

// Statement is the newest boot statement.
func (p *Process) Statement() evidence.Boot {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.boot
}

// Document returns an Evidence document of this start by the SHA-256 of its statement.
func (p *Process) Document(id evidence.Digest) ([]byte, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	d, ok := p.documents.byID[id]
	return d, ok
}

func (p *Process) takeNumber() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.number++
	return p.number - 1
}

func (p *Process) publish(changed []*Agent, boot evidence.Boot, e *evidence.Evidence, document []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range changed {
		p.agents[a.ID] = a
	}
	p.boot, p.current = boot, e
	p.documents.boot = e.ID()
	p.documents.keep(e.ID(), document)
}

// Session makes a fresh session statement for one caller, has it quoted and returns the Evidence document. Callers limit how often.
func (p *Process) Session(ctx context.Context, nonce []byte, channel evidence.Channel) (document []byte, err error) {
	s := evidence.Session{
		Boot: evidence.Sum(p.Evidence().Statement), Nonce: nonce, Channel: channel, Checkpoints: p.checkpoints(),
		Time: uint64(p.config.Now().UnixMilli()),
	}
	raw, err := s.Marshal()
	if err != nil {
		return nil, err
	}
	return p.attestAndKeep(ctx, raw)
}

// Extract makes a fresh statement over the exact bytes of an answer to one query.
func (p *Process) Extract(ctx context.Context, nonce []byte, query string, result []byte, checkpoint string) (document []byte, err error) {
	x := evidence.Extract{
		Boot: evidence.Sum(p.Evidence().Statement), Nonce: nonce, Query: query, Result: evidence.Sum(result), Checkpoint: checkpoint,
		Time: uint64(p.config.Now().UnixMilli()),
	}
	raw, err := x.Marshal()
	if err != nil {
		return nil, err
	}
	return p.attestAndKeep(ctx, raw)
}

func (p *Process) attestAndKeep(ctx context.Context, statement []byte) ([]byte, error) {
	e, err := p.quote(ctx, statement)
	if err != nil {
		return nil, err
	}
	document, err := e.Marshal()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.documents.keep(e.ID(), document)
	return document, nil
}

func (p *Process) checkpoints() []string {
	var list []string
	for _, a := range p.all() {
		list = append(list, string(a.Log.Checkpoint()))
	}
	slices.Sort(list)
	return list
}

// Add starts another agent in this process: statement number + 1, a new quote, and a boot leaf in the new agent's log only.
func (p *Process) Add(ctx context.Context, spec AgentSpec) (*Agent, error) {
	if err := p.join(ctx, spec); err != nil {
		return nil, err
	}
	a, _ := p.Agent(spec.ID)
	return a, nil
}

// Change gives a running agent another character: a new part, a new agent key, a new boot leaf in its log.
func (p *Process) Change(ctx context.Context, id, name string, character []byte) (*Agent, error) {
	p.changes.Lock()
	defer p.changes.Unlock()
	old, ok := p.Agent(id)
	if !ok {
		return nil, fmt.Errorf("no agent %s is running", id)
	}
	a := &Agent{ID: id, Name: name, Log: old.Log, spec: old.spec, wallets: old.wallets, memory: old.memory, earlier: old.earlier, claims: old.claims}
	a.spec.Name, a.spec.Character = name, character
	if err := p.declare(ctx, []*Agent{a}); err != nil {
		return nil, err
	}
	return a, nil
}
