package actionlog

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/teapot-tee/teapot/actionlog/segment"
	"github.com/teapot-tee/teapot/tlog"
)

// LogOptions names a log and brings its keys, which the TEE derives and the disk never sees.
type LogOptions struct {
	Agent      string             // canonical UUID
	Number     uint64             // 0, unless the operator starts a new log after a loss
	LogKey     ed25519.PrivateKey // stable; witnesses pin it
	StorageKey [32]byte           // encrypts frames and content keys
	PrivacyKey [32]byte           // makes pseudonyms and room secrets
	Erasure    ErasurePolicy      // who may have content erased; zero: nobody
}

// Log is the log of one agent. Its methods are safe for concurrent use.
type Log struct {
	store   *Store
	opts    LogOptions
	origin  string
	dir     string
	keys    segment.Keys
	privacy [32]byte
	hash    [32]byte // SHA-256(origin)
	found   Found
	head    atomic.Pointer[head]

	// Owned by the committer, one worker at a time (queue.listed says that one has it).
	kinds  tlog.Kinds
	last   uint64 // time of the newest leaf
	signer *tlog.Signer
	notes  *tlog.CheckpointSigner
	boot   uint64 // number of this start
	bootID [16]byte
	writer *segment.Writer
	prev   [segment.TagSize]byte // tag of the last frame of the last segment found

	mu     sync.RWMutex // guards hashes and segments; the committer also reads them without
	hashes tlog.Hashes  // may run ahead of head by one commit
	segs   []*seg

	queue queue
	subs  subscribers
	idem  idempotency
	erase sync.Mutex // one erasure at a time
	gone  erased
}

// head is the newest acknowledged state.
type head struct {
	size       uint64
	root       tlog.Hash
	time       uint64
	checkpoint []byte // nil before the first leaf
	booted     bool
	kinds      []byte // tlog.Kinds.Append at this size
}

// Found is the log as this start found it.
type Found struct {
	BootNumber uint64 // number this start will have
	Size       uint64
	Root       tlog.Hash
	LastTime   uint64 // microseconds since 1970; 0 for an empty log
	Checkpoint []byte // the last one stored; nil for an empty log
	BootKey    []byte // public boot key of the start before this one; nil for an empty log
}

// OpenLog opens a log and recovers it: every frame is decrypted, the tree is rebuilt in memory and compared with the
// last checkpoint. What does not belong is a *Refused and nothing is written. A log can be open once.
func (s *Store) OpenLog(o LogOptions) (*Log, error) {
	if _, err := tlog.ParseUUID(o.Agent); err != nil {
		return nil, fmt.Errorf("agent: %w", err)
	}
	if len(o.LogKey) != ed25519.PrivateKeySize || o.StorageKey == [32]byte{} || o.PrivacyKey == [32]byte{} {
		return nil, fmt.Errorf("log of agent %s: log key, storage key and privacy key are needed", o.Agent)
	}
	l := newLog(s, o)
	if err := s.register(l); err != nil {
		return nil, err
	}
	if err := l.recover(); err != nil {
		s.unregister(l)
		return nil, fmt.Errorf("opening log: %w", asRefused(l.origin, l.dir, err))
	}
	if err := s.index.add(l); err != nil {
		s.unregister(l)
		return nil, fmt.Errorf("opening log %s: %w", l.origin, err)
	}
	return l, nil
}

func newLog(s *Store, o LogOptions) *Log {
	origin := tlog.Origin(o.Agent, o.LogKey.Public().(ed25519.PublicKey))
	l := &Log{
		store: s, opts: o, origin: origin, dir: fmt.Sprintf("logs/%s-%d", o.Agent, o.Number),
		keys: segment.NewKeys(o.StorageKey), privacy: o.PrivacyKey, hash: sha256.Sum256([]byte(origin)),
	}
	l.queue.limit, l.queue.holder = s.opts.Queue, make(chan struct{}, 1)
	l.idem.known = map[[16]byte]remembered{}
	l.gone.set = map[uint64]uint64{}
	return l
}

// register keeps two logs of one agent and number apart: two agents with one UUID in a process are refused.
func (s *Store) register(l *Log) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead != nil {
		return s.dead
	}
	if _, open := s.logs[l.dir]; open {
		return &Refused{"agent " + l.opts.Agent + " has its log open already", "two agents with one id cannot run in one process; give one of them another id"}
	}
	s.logs[l.dir] = l
	return nil
}

func (s *Store) unregister(l *Log) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.logs, l.dir)
}

// Origin is the log's identity.
func (l *Log) Origin() string { return l.origin }

// Agent is the agent's UUID.
func (l *Log) Agent() string { return l.opts.Agent }

// Number is the log's number.
func (l *Log) Number() uint64 { return l.opts.Number }

// LogKey is the public log key.
func (l *Log) LogKey() ed25519.PublicKey { return l.opts.LogKey.Public().(ed25519.PublicKey) }

// Found returns the log as this start found it.
func (l *Log) Found() Found { return l.found }

// Size is the number of acknowledged entries.
func (l *Log) Size() uint64 { return l.head.Load().size }

// Checkpoint is the newest signed note; every acknowledged entry is under it. Nil while the log is empty.
func (l *Log) Checkpoint() []byte { return slices.Clone(l.head.Load().checkpoint) }

// Kinds returns the counts by type as of the newest checkpoint.
func (l *Log) Kinds() tlog.Kinds {
	k, err := tlog.ParseKinds(l.head.Load().kinds)
	if err != nil {
		panic("internal: counts by type: " + err.Error())
	}
	return k
}

// Proof shows that an entry is in the log: the leaf, what it commits to, and the way to a signed checkpoint.
type Proof struct {
	Index      uint64
	Leaf       []byte
	Addendum   []byte // salt and disclosed part; nil when the entry has none
	LeafHash   tlog.Hash
	Path       []tlog.Hash
	Checkpoint []byte
}

// Append logs entries in one go: all of them or none, in this order. When it returns they are durable, signed and
// provable. A context that ends first leaves open whether they were logged; an idempotency key lets the caller ask
// again.
func (l *Log) Append(ctx context.Context, entries ...Entry) ([]Proof, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	if len(entries) > maxBatch {
		return nil, invalid("%d entries in one call, the limit is %d", len(entries), maxBatch)
	}
	if !l.head.Load().booted {
		return nil, ErrNotBooted
	}
	r := newRequest(len(entries))
	r.log = l
	for i := range entries {
		p, err := l.prepare(&entries[i])
		if err == nil && entries[i].Type == tlog.TypeResult {
			err = l.namesIntent(p.leaf.Cause)
		}
		if err != nil {
			return nil, err
		}
		r.entries = append(r.entries, p)
	}
	return l.submit(ctx, r)
}

// submit answers retries from what is known and queues the rest.
func (l *Log) submit(ctx context.Context, r *request) ([]Proof, error) {
	known, err := l.idem.claim(ctx, l, r)
	if err != nil {
		return nil, err
	}
	if known != nil {
		return l.ProveAll(known)
	}
	if err := l.enqueue(r); err != nil {
		l.idem.release(r)
		return nil, err
	}
	return r.wait(ctx)
}

// Boot is what a start writes first.
type Boot struct {
	BootKey, AgentKey         ed25519.PrivateKey // fresh, never stored
	Statement, Part, Evidence []byte             // public, kept for ever; the leaf carries their SHA-256
}

// Boot writes this start's boot leaf. Nothing else is accepted before it. A later call in the same start (a changed
// agent) opens a new statement with the same boot key; Hold keeps the log still while its quote is made.
func (l *Log) Boot(ctx context.Context, b Boot) (Proof, error) {
	signer, err := tlog.NewSigner(l.origin, b.AgentKey)
	if err != nil {
		return Proof{}, err
	}
	notes, err := tlog.NewCheckpointSigner(l.origin, l.opts.LogKey, b.BootKey)
	if err != nil {
		return Proof{}, err
	}
	if n := len(b.Statement) + len(b.Part) + len(b.Evidence); n > MaxContent {
		return Proof{}, invalid("boot statement, part and evidence of %d bytes, the limit is %d", n, MaxContent)
	}
	r := newRequest(1)
	r.signer, r.notes = signer, notes
	p := &pending{leaf: tlog.Leaf{Type: tlog.TypeBoot, Source: tlog.SourceRuntime, Start: &tlog.Start{
		Statement: tlog.Digest(b.Statement), Part: tlog.Digest(b.Part), Evidence: tlog.Digest(b.Evidence),
		BootKey:  [32]byte(b.BootKey.Public().(ed25519.PublicKey)),
		AgentKey: [32]byte(b.AgentKey.Public().(ed25519.PublicKey)),
	}}}
	p.stored = stored{form: contentClear, content: joinPublic(b.Statement, b.Part, b.Evidence)}
	r.entries = append(r.entries, p)
	if err := l.enqueue(r); err != nil {
		return Proof{}, err
	}
	proofs, err := r.wait(ctx)
	if err != nil {
		return Proof{}, err
	}
	return proofs[0], nil
}

func (l *Log) close() error {
	l.subs.close()
	l.queue.abandon(ErrStopped)
	if l.writer == nil {
		return nil
	}
	return errors.Join(l.writer.Trim(), l.segs[len(l.segs)-1].reader.Release())
}
