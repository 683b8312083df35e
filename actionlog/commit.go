package actionlog

import (
	"errors"
	"time"

	"github.com/teapot-tee/teapot/actionlog/segment"
	"github.com/teapot-tee/teapot/tlog"
)

const clockTolerance = 5 * time.Minute

// commitQueued commits what waits and reports whether more came in meanwhile.
func (l *Log) commitQueued() (more bool) {
	batch := l.queue.take()
	if len(batch) > 0 {
		l.commit(batch)
	}
	return l.queue.rest()
}

// commit numbers, signs, stores and acknowledges one batch. Requests that turn out to be impossible are answered with
// their error and leave no gap. After an error of the disk the store is dead: the tree in memory may be ahead of it.
func (l *Log) commit(batch []*request) {
	if err := l.store.broken(); err != nil {
		finishAll(batch, err)
		return
	}
	for len(batch) > 0 {
		tried := l.attempt(batch)
		if tried == nil {
			return
		}
		batch = tried
	}
}

// attempt commits the batch; if entries cannot be signed it answers their requests and returns the rest to try again.
func (l *Log) attempt(batch []*request) (again []*request) {
	undo := l.mark()
	batch, work := l.sequence(batch)
	if len(work) == 0 {
		return nil
	}
	if failed := l.sign(batch, work); failed {
		undo()
		return stillOpen(batch)
	}
	note, err := l.persist(work)
	if err != nil {
		finishAll(batch, l.store.fail(err))
		return nil
	}
	l.acknowledge(batch, work, note)
	return nil
}

func finishAll(batch []*request, err error) {
	for _, r := range batch {
		r.finish(err)
	}
}

func stillOpen(batch []*request) (open []*request) {
	for _, r := range batch {
		if r.err == nil {
			open = append(open, r)
		}
	}
	return open
}

// sequence gives every entry its place. A request whose entries cannot have one is answered and left out.
func (l *Log) sequence(batch []*request) (kept []*request, work []*pending) {
	now := uint64(l.store.opts.Now().UnixMicro())
	for _, r := range batch {
		undo := l.mark()
		if err := l.number(r, uint64(len(work)), now); err != nil {
			undo()
			r.finish(err)
			continue
		}
		kept, work = append(kept, r), append(work, r.entries...)
	}
	return kept, work
}

// mark returns what takes numbering back to here, the keys of a boot request included: a leaf that comes to nothing must not
// change who signs.
func (l *Log) mark() (undo func()) {
	kinds, last, signer, notes, boot := l.kinds.Clone(), l.last, l.signer, l.notes, l.boot
	return func() { l.kinds, l.last, l.signer, l.notes, l.boot = kinds, last, signer, notes, boot }
}

func (l *Log) number(r *request, offset, now uint64) error {
	if r.signer != nil {
		l.signer, l.notes, l.boot = r.signer, r.notes, l.kinds.Next(tlog.TypeBoot)
	}
	if l.signer == nil {
		return ErrNotBooted
	}
	for i, p := range r.entries {
		p.leaf.Index = l.hashes.Size() + offset + uint64(i)
		if n := len(p.leaf.Cause); n > 0 && p.leaf.Cause[n-1] >= p.leaf.Index {
			return invalid("cause %d is not an entry before this one", p.leaf.Cause[n-1])
		}
		kseq, err := l.kinds.Add(p.leaf.Type)
		if err != nil {
			return &Invalid{err.Error()}
		}
		p.leaf.Boot, p.leaf.KSeq, p.leaf.Kinds = l.boot, kseq, l.kinds.Hash()
		p.leaf.Time, p.leaf.Clamped = max(now, l.last), now+uint64(clockTolerance.Microseconds()) < l.last
		l.last = p.leaf.Time
		if p.leaf.Start != nil {
			p.leaf.Start.Root = l.head.Load().root
		}
	}
	return nil
}

// sign encodes, signs and hashes all leaves and seals their contents, on all cores.
func (l *Log) sign(batch []*request, work []*pending) (failed bool) {
	if err := l.ensureSegment(); err != nil {
		finishAll(batch, l.store.fail(err))
		return true
	}
	keys := l.segs[len(l.segs)-1].keys.Load()
	errs := make([]error, len(work))
	parallel(len(work), func(i int) {
		p := work[i]
		p.bytes, errs[i] = l.signer.Sign(make([]byte, 0, 512), &p.leaf)
		p.hash = tlog.RecordHash(p.bytes)
		p.stored.leaf = p.bytes
		if p.stored.form&contentMask == contentSealed {
			p.stored.wrapped, p.stored.content = keys.Seal(p.leaf.Index, joinContent(p.addendum, p.ids))
		}
	})
	return refuse(batch, errs)
}

// refuse answers the requests whose entries could not be signed.
func refuse(batch []*request, errs []error) (failed bool) {
	for _, r := range batch {
		n := len(r.entries)
		if err := errors.Join(errs[:n]...); err != nil {
			r.finish(&Invalid{err.Error()})
			failed = true
		}
		errs = errs[n:]
	}
	return failed
}

// persist extends the tree in memory, signs that extension and makes both durable.
func (l *Log) persist(work []*pending) (note []byte, err error) {
	l.mu.Lock()
	for _, p := range work {
		l.hashes.Append(p.hash)
	}
	size, root := l.hashes.Size(), l.hashes.Root()
	l.mu.Unlock()
	note = l.notes.Sign(size, root)
	records := make([]stored, len(work))
	for i, p := range work {
		records[i] = p.stored
	}
	first := work[0].leaf.Index
	groups := payloads(first, records, note)
	places, err := l.writer.Append(groups)
	if err != nil {
		return nil, err
	}
	l.publish(first, size, root, note, groups, places)
	return note, nil
}

// publish makes a durable commit the log's head.
func (l *Log) publish(first, size uint64, root tlog.Hash, note []byte, groups [][]byte, places []segment.Place) {
	l.mu.Lock()
	sg := l.segs[len(l.segs)-1]
	for i, p := range places {
		sg.add(first, p)
		first += uint64(countOf(groups[i]))
	}
	l.mu.Unlock()
	l.head.Store(&head{size: size, root: root, time: l.last, checkpoint: note, booted: true, kinds: l.kinds.Append(nil)})
}

// acknowledge proves every entry under the new checkpoint and answers.
func (l *Log) acknowledge(batch []*request, work []*pending, note []byte) {
	size := l.head.Load().size
	proofs := make([]Proof, len(work))
	l.mu.RLock()
	stretches(len(work), func(lo, hi int) {
		memo := newMemo(&l.hashes)
		for i := lo; i < hi; i++ {
			p := work[i]
			path, err := tlog.InclusionProof(p.leaf.Index, size, memo)
			if err != nil {
				panic("internal: no inclusion proof of an entry just added: " + err.Error())
			}
			proofs[i] = Proof{Index: p.leaf.Index, Leaf: p.bytes, Addendum: p.addendum, LeafHash: p.hash, Path: path, Checkpoint: note}
		}
	})
	l.mu.RUnlock()
	l.afterCommit(work)
	l.subs.publish(proofs)
	for _, r := range batch {
		n := len(r.entries)
		r.proofs, proofs = proofs[:n:n], proofs[n:]
		r.finish(nil)
	}
}
