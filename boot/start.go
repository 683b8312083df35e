package boot

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/attest"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/keys"
	"github.com/teapot-tee/teapot/keys/wallets"
)

// Process is one running start.
type Process struct {
	config  Config
	store   *actionlog.Store
	bootID  evidence.BootID
	bootKey ed25519.PrivateKey
	quoting sync.Mutex // one quote at a time: not every platform is thread-safe
	changes sync.Mutex // one statement at a time; guards agents until they are published, and opened

	numbers map[string]uint64         // of the log that this start writes, by agent; guarded by changes
	opened  map[string]*actionlog.Log // by agent and number: a log opens once, also for an agent whose declaration failed

	mu        sync.RWMutex // guards what follows
	agents    map[string]*Agent
	number    uint64 // of the next statement
	boot      evidence.Boot
	current   *evidence.Evidence
	documents documents
}

// Agent is one agent of this start: its log, and what the boot statement says about it.
type Agent struct {
	ID   string
	Name string
	Log  *actionlog.Log

	spec    AgentSpec
	wallets []*wallets.Wallet
	memory  [32]byte
	earlier []evidence.EarlierLog
	key     ed25519.PrivateKey // of this start, signs entries
	part    evidence.AgentPart
	claims  []evidence.KeyClaim // the platform's signatures over this agent's derived keys
}

// Start runs the whole start. When it returns, every log holds its boot leaf, durable and under a signed checkpoint.
func Start(ctx context.Context, c Config) (*Process, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := attest.Claim(c.Dir, c.Attester); err != nil {
		return nil, err
	}
	p := &Process{config: c, numbers: map[string]uint64{}, opened: map[string]*actionlog.Log{}, agents: map[string]*Agent{}, documents: documents{byID: map[evidence.Digest][]byte{}}}
	if err := p.freshKeys(); err != nil {
		return nil, err
	}
	if err := p.openStore(ctx); err != nil {
		return nil, err
	}
	if err := p.join(ctx, c.Agents...); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (c Config) check() error {
	if c.Attester == nil || c.Now == nil || c.Logger == nil || c.Dir == "" {
		return errors.New("internal: boot needs a data directory, an attester, a clock and a logger")
	}
	seen := map[string]string{}
	for _, a := range c.Agents {
		if other, twice := seen[a.ID]; twice {
			return fmt.Errorf("agents %q and %q have the same id %s: one log has one writer; give one of them another id", other, a.Name, a.ID)
		}
		seen[a.ID] = a.Name
	}
	return nil
}

func (p *Process) freshKeys() error {
	_, _ = rand.Read(p.bootID[:]) // never fails (crypto/rand)
	_, key, err := ed25519.GenerateKey(rand.Reader)
	p.bootKey = key
	return err
}

func (p *Process) openStore(ctx context.Context) error {
	index, err := secret(ctx, p.config.Attester, keys.Storage, nobody)
	if err != nil {
		return err
	}
	p.store, err = actionlog.Open(actionlog.Options{
		Dir: LogDir(p.config.Dir), Platform: p.config.Attester.Platform(), IndexKey: index, Now: p.config.Now, Fatal: p.config.Fatal,
	})
	return err
}

// join opens agents and declares them. Agents that could not be declared are none of this process.
func (p *Process) join(ctx context.Context, specs ...AgentSpec) error {
	p.changes.Lock()
	defer p.changes.Unlock()
	var agents []*Agent
	for _, spec := range specs {
		if _, taken := p.Agent(spec.ID); taken {
			return fmt.Errorf("an agent with id %s is running already", spec.ID)
		}
		a, err := p.openAgent(ctx, spec)
		if err != nil {
			return err
		}
		agents = append(agents, a)
	}
	if err := p.claimWallets(agents); err != nil {
		return err
	}
	return p.declare(ctx, agents)
}

// claimWallets refuses a start that would silently give an agent other wallets than the data directory knows.
func (p *Process) claimWallets(agents []*Agent) error {
	if p.config.Attester.Custody() == evidence.ThisStart {
		return nil // there wallets live for one start, and the statement says so
	}
	addresses := map[string][]string{}
	for _, a := range agents {
		for _, w := range a.wallets {
			addresses[a.ID] = append(addresses[a.ID], w.Chain+":"+w.Address)
		}
	}
	return attest.ClaimWallets(p.config.Dir, addresses)
}

// openAgent makes an agent that no statement names yet. Callers hold changes.
func (p *Process) openAgent(ctx context.Context, spec AgentSpec) (*Agent, error) {
	spec, err := p.numbered(spec)
	if err != nil {
		return nil, fmt.Errorf("agent %s: %w", spec.Name, err)
	}
	d, err := deriveKeys(ctx, p.config.Attester, spec)
	if err != nil {
		return nil, err
	}
	opened, err := wallets.Open(ctx, p.config.Attester, wallets.Options{Agent: spec.ID, Derivation: spec.Wallets, Salt: spec.Salt})
	if err != nil {
		return nil, fmt.Errorf("opening the wallets of agent %s: %w", spec.Name, err)
	}
	log, err := p.openLog(spec, d)
	if err != nil {
		return nil, err
	}
	earlier, err := p.earlierLogs(ctx, spec)
	if err != nil {
		return nil, err
	}
	return &Agent{ID: spec.ID, Name: spec.Name, Log: log, spec: spec, wallets: opened, memory: d.memory, claims: claimsOf(d, opened), earlier: earlier}, nil
}

func (p *Process) openLog(spec AgentSpec, d derived) (*actionlog.Log, error) {
	name := fmt.Sprintf("%s/%d", spec.ID, spec.LogNumber)
	if log := p.opened[name]; log != nil {
		return log, nil
	}
	erasure, err := erasurePolicy(p.config.Policies.Erasure)
	if err != nil {
		return nil, err
	}
	log, err := p.store.OpenLog(actionlog.LogOptions{
		Agent: spec.ID, Number: spec.LogNumber, LogKey: d.log, StorageKey: d.storage, PrivacyKey: d.privacy,
		Erasure: erasure,
	})
	if err != nil {
		return nil, fmt.Errorf("agent %s: %w", spec.Name, err)
	}
	p.clockBehind(spec, log.Found().LastTime)
	p.opened[name] = log
	return log, nil
}

// declare makes the next statement and writes a boot leaf into the logs of the changed agents, whose logs are held still meanwhile:
// the part says at which size and root the log was found, and nothing may come between. Nothing of the changed agents is shown
// before all is durable: when it fails, what was declared before stays in force. Callers hold changes.
func (p *Process) declare(ctx context.Context, changed []*Agent) error {
	for _, a := range changed {
		release, err := p.preparePart(ctx, a)
		if err != nil {
			return err
		}
		defer release()
	}
	boot, e, err := p.evidence(ctx, p.with(changed))
	if err != nil {
		return err
	}
	document, err := e.Marshal()
	if err != nil {
		return err
	}
	for _, a := range changed {
		part, err := a.part.Marshal()
		if err != nil {
			return err
		}
		// A caller who goes away now must not leave a boot leaf of which this process knows nothing.
		if _, err := a.Log.Boot(context.WithoutCancel(ctx), actionlog.Boot{BootKey: p.bootKey, AgentKey: a.key, Statement: e.Statement, Part: part, Evidence: document}); err != nil {
			return fmt.Errorf("writing the boot leaf of agent %s: %w", a.Name, err)
		}
	}
	p.publish(changed, boot, e, document)
	return nil
}

// preparePart holds the agent's log, makes a fresh agent key and fills the part.
func (p *Process) preparePart(ctx context.Context, a *Agent) (release func(), err error) {
	now, release, err := a.Log.Hold(ctx)
	if err != nil {
		return nil, err
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		release()
		return nil, err
	}
	a.key = key
	a.part = evidence.AgentPart{
		Agent: a.ID, Name: a.Name, Character: evidence.Sum(a.spec.Character),
		Log:      evidence.LogIdentity{Number: a.spec.LogNumber, Origin: a.Log.Origin(), Key: evidence.PublicKey(a.Log.LogKey())},
		AgentKey: evidence.PublicKey(key.Public().(ed25519.PublicKey)),
		Wallets:  walletLines(a.wallets),
		Found:    evidence.Found{BootNumber: now.BootNumber, Size: now.Size, Root: evidence.Digest(now.Root), LastTime: now.LastTime},
		Earlier:  a.earlier,
	}
	return release, nil
}

// Close ends the logs; what was acknowledged is durable already.
func (p *Process) Close() error {
	if p.store == nil {
		return nil
	}
	return p.store.Close()
}
