package tlog

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// AuditOptions say what an Auditor compares a log with.
type AuditOptions struct {
	Origin string            // of the log
	LogKey ed25519.PublicKey // the attested log key
	State  *AuditState       // what an earlier audit ended with; nil: from the beginning
	Kinds  *Kinds            // counts at the checkpoint's size, as claimed; needed when entries are left out
	Window Window            // what the answer claims to hold completely
	// Known are trees of this log seen before, ascending by size: in a checkpoint, a receipt or at a witness. Each is compared when
	// the walk comes by its size; one whose size lies among entries left out is not compared.
	Known []Checkpoint
	// Contents says that contents were asked for: public content that is missing without an erasure is withheld.
	Contents bool
	// MayErase says whether the policy in force at a start allows an erasure on this demand; nil: not checked.
	MayErase func(start uint64, by Requester) error
	// Entry is called for every entry in order, before its signature is checked; nil: not called. It must keep nothing.
	Entry func(l *Leaf, item *Item)
	// Workers bounds the goroutines that verify signatures; 0: one per processor.
	Workers int
}

// Auditor walks the entries of a log in order and checks every rule that the log alone shows. Use: NewAuditor, Add for each item,
// Finish. It is not safe for concurrent use; signatures are verified in parallel batches behind the scenes. An Auditor that is
// dropped before Finish leaves nothing behind.
type Auditor struct {
	o        AuditOptions
	tree     Tree
	walk     walk
	found    findings
	report   AuditReport
	compared int // trees seen before that were compared

	batch   *batch
	free    []*batch
	slots   chan struct{}
	running sync.WaitGroup
	mu      sync.Mutex // guards free and bad
	bad     findings   // of the workers
}

const batchLen = 128

// batch is a run of entries whose signatures and contents are checked together.
type batch struct {
	n       int
	entries [batchLen]batchEntry
}

type batchEntry struct {
	leaf  Leaf
	key   [32]byte
	keyed bool
	item  Item
}

// NewAuditor returns an Auditor at the beginning of the log, or where State ended.
func NewAuditor(o AuditOptions) (*Auditor, error) {
	if _, err := ParseOrigin(o.Origin); err != nil {
		return nil, err
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	a := &Auditor{o: o, walk: newWalk(), slots: make(chan struct{}, o.Workers), batch: new(batch)}
	if o.State != nil {
		if err := a.resume(o.State); err != nil {
			return nil, err
		}
	}
	a.compareKnown()
	return a, nil
}

// Size returns the number of entries walked so far, those before State included.
func (a *Auditor) Size() uint64 { return a.tree.Size() }

// Add walks one item. The error is for items that do not belong here at all (a subtree that does not fit); what is wrong with an
// entry is a finding of the report. The item's bytes must stay as they are until Finish.
func (a *Auditor) Add(item Item) error {
	if item.Left() {
		return a.leaveOut(item)
	}
	e := &a.batch.entries[a.batch.n]
	e.item, e.keyed = item, false
	index := a.tree.Size()
	if err := e.leaf.Decode(item.Leaf); err != nil {
		a.found.add(ruleForm, index, err.Error())
		a.walk.skip()
	} else {
		a.rules(&e.leaf, &e.item)
		e.key, e.keyed = a.walk.agentKey, a.walk.started
		if a.o.Entry != nil {
			a.o.Entry(&e.leaf, &e.item)
		}
		a.batch.n++
	}
	a.tree.Append(RecordHash(item.Leaf))
	a.report.Entries++
	a.compareKnown()
	if a.batch.n == batchLen {
		a.send()
	}
	return nil
}

func (a *Auditor) leaveOut(item Item) error {
	if fit(a.tree.Size(), MaxCount) < item.Level {
		return errors.New("audit: a subtree that does not fit here")
	}
	if err := a.tree.AppendSubtree(item.Level, item.Hash); err != nil {
		return err
	}
	a.walk.skip()
	a.report.LeftOut += item.Entries()
	a.compareKnown()
	return nil
}

// compareKnown compares the tree with those seen before of its size.
func (a *Auditor) compareKnown() {
	for len(a.o.Known) > 0 && a.o.Known[0].Size <= a.tree.Size() {
		known := a.o.Known[0]
		a.o.Known = a.o.Known[1:]
		if known.Size != a.tree.Size() || known.Size == 0 {
			continue
		}
		a.compared++
		if root := a.tree.Root(); root != known.Root || known.Origin != a.o.Origin {
			a.found.add(ruleConsistency, known.Size, fmt.Sprintf("root %s, seen before %s", root.Base64(), known.Root.Base64()))
		}
	}
}

// send hands the batch to a worker and takes a fresh one. The number of workers is bounded; each ends with its batch.
func (a *Auditor) send() {
	full := a.batch
	a.slots <- struct{}{}
	a.mu.Lock()
	if n := len(a.free); n > 0 {
		a.batch, a.free = a.free[n-1], a.free[:n-1]
	} else {
		a.batch = new(batch)
	}
	a.mu.Unlock()
	a.running.Go(func() {
		a.verify(full)
		<-a.slots
	})
}

func (a *Auditor) verify(b *batch) {
	var bad findings
	for i := range b.entries[:b.n] {
		e := &b.entries[i]
		if e.keyed && !e.leaf.Verify(e.key[:]) {
			bad.add(ruleSignature, e.leaf.Index, "not signed by the agent key of its start")
		}
		if e.item.Status == StatusDisclosed {
			if _, err := OpenAddendum(e.leaf.Content, e.item.Addendum); err != nil {
				bad.add(ruleContent, e.leaf.Index, err.Error())
			}
		}
		e.item = Item{}
	}
	b.n = 0
	a.mu.Lock()
	a.bad.merge(&bad)
	a.free = append(a.free, b)
	a.mu.Unlock()
}

// Finish compares what was walked with the checkpoint and returns the report. The Auditor must not be used afterwards.
func (a *Auditor) Finish(c *SignedCheckpoint) *AuditReport {
	if a.batch.n > 0 {
		a.send()
	}
	a.running.Wait()
	a.found.merge(&a.bad)
	a.finishEntries(c)
	a.checkpoint(c)
	a.report.checks(a, c)
	return &a.report
}

// checkpoint compares the tree and the two signatures.
func (a *Auditor) checkpoint(c *SignedCheckpoint) {
	if c.Origin != a.o.Origin || !OriginNamesKey(c.Origin, a.o.LogKey) {
		a.found.add(ruleOrigin, c.Size, fmt.Sprintf("the checkpoint is of %q", clip(c.Origin)))
	}
	if c.SignedByLog(a.o.LogKey) != SigGood {
		a.found.add(ruleLogSignature, c.Size, "the checkpoint is not signed by the log key")
	}
	if !a.walk.started || c.SignedByBoot(a.walk.bootKey[:]) != SigGood {
		a.found.add(ruleBootSignature, c.Size, "the checkpoint is not signed by the boot key of the newest start in the log")
	}
	for _, known := range a.o.Known {
		if known.Size > c.Size {
			a.compared++
			a.found.add(ruleConsistency, c.Size, fmt.Sprintf("the log was seen with %d entries before", known.Size))
		}
	}
	if got := a.tree.Root(); c.Size != a.tree.Size() || got != c.Root {
		a.found.add(ruleRoot, c.Size, fmt.Sprintf("the entries have size %d and root %s", a.tree.Size(), got.Base64()))
		if a.o.State != nil {
			a.found.add(ruleConsistency, c.Size, fmt.Sprintf("with the %d entries verified before, the new entries do not lead to this checkpoint", a.o.State.Size))
		}
	}
	if a.o.State != nil {
		a.compared++
	}
}
