package actionlog

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/teapot-tee/teapot/actionlog/segment"
	"github.com/teapot-tee/teapot/tlog"
)

// recovery walks all frames of a log in order.
type recovery struct {
	l     *Log
	leaf  tlog.Leaf
	note  []byte // the last checkpoint of a complete group
	start *tlog.Start
	tag   [segment.TagSize]byte // of the last frame of a complete group
	group []opened              // frames of a group whose last frame has not come yet
}

// recover reads the log from disk into memory, finishes erasures that were cut short, and removes the traces of a
// start that was killed before its first entry.
func (l *Log) recover() error {
	last, err := l.lastSegment()
	if err != nil {
		return err
	}
	r := &recovery{l: l}
	for n := uint64(1); n <= last; n++ {
		if err := r.segment(n, n == last); err != nil {
			return err
		}
	}
	if err := r.checkHead(); err != nil {
		return err
	}
	l.prev = r.tag
	l.head.Store(&head{size: l.hashes.Size(), root: l.hashes.Root(), time: l.last, checkpoint: r.note, kinds: l.kinds.Append(nil)})
	l.found = Found{BootNumber: l.kinds.Next(tlog.TypeBoot), Size: l.hashes.Size(), Root: l.hashes.Root(), LastTime: l.last, Checkpoint: r.note}
	if r.start != nil {
		l.found.BootKey = r.start.BootKey[:]
	}
	return l.finishErasures()
}

// lastSegment returns the highest segment number and refuses files that are not the log's.
func (l *Log) lastSegment() (last uint64, err error) {
	names, err := l.store.fs.ReadDir(l.dir)
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", l.dir, err)
	}
	for _, name := range names {
		stem, kind, _ := strings.Cut(name, ".")
		n, err := strconv.ParseUint(stem, 10, 32)
		if err != nil || kind != "segment" && kind != "keys" && kind != "keys.new" {
			return 0, &Refused{fmt.Sprintf("%s holds %q, which is not a file of this log", l.dir, name), "move it away"}
		}
		if kind == "segment" {
			last = max(last, n)
		}
	}
	return last, l.removeOrphans(names, last)
}

// removeOrphans deletes content keys whose segment was never created: a start killed in between.
func (l *Log) removeOrphans(names []string, last uint64) error {
	for _, name := range names {
		if strings.HasSuffix(name, ".keys.new") || name == segment.KeysName(last+1) {
			if err := l.store.fs.Remove(l.dir + "/" + name); err != nil {
				return fmt.Errorf("removing a file that was never in use: %w", err)
			}
		}
	}
	return nil
}

func (r *recovery) segment(n uint64, last bool) error {
	l := r.l
	rd, err := segment.Open(l.store.fs, l.dir, l.keys, l.hash, n)
	if errors.Is(err, segment.ErrEmpty) && last {
		return l.removeSegment(n)
	}
	if errors.Is(err, segment.ErrEmpty) {
		return &Refused{"segment " + segment.Name(n) + " is empty and others follow it", "put the file back as it was"}
	}
	if err != nil {
		return err
	}
	err = r.read(rd, n, last)
	return errors.Join(err, rd.Release())
}

func (r *recovery) read(rd *segment.Reader, n uint64, last bool) error {
	l, h := r.l, rd.Header()
	if h.First != l.hashes.Size() || h.Root != l.hashes.Root() || h.Prev != r.tag {
		return &Refused{fmt.Sprintf("segment %s does not continue %s", segment.Name(n), segment.Name(n-1)), "one of the two files was replaced by an older or other one, or entries at the end of the earlier one are gone; put the newest files back"}
	}
	s := newSeg(rd, nil)
	r.group = r.group[:0]
	if err := r.scan(rd, s); err != nil {
		return err
	}
	if len(s.first) == 0 {
		if last {
			return l.removeSegment(n)
		}
		return &Refused{"segment " + segment.Name(n) + " holds no entries and others follow it", "put the file back as it was"}
	}
	keys, err := segment.OpenContentKeys(l.store.fs, l.dir, l.keys, h)
	if err != nil {
		return err
	}
	s.keys.Store(keys)
	l.segs = append(l.segs, s)
	return nil
}

// scan walks a segment on two cores: one reads, decrypts and hashes, the other follows the rules of the log.
func (r *recovery) scan(rd *segment.Reader, s *seg) error {
	frames, stop, scanned := make(chan opened, 16), make(chan struct{}), make(chan error, 1)
	go func() {
		scanned <- rd.Scan(func(f segment.Frame) error {
			select {
			case frames <- openPayload(f):
				return nil
			case <-stop:
				return errStopScan
			}
		})
		close(frames)
	}()
	var err error
	for f := range frames {
		if err == nil {
			if err = r.frame(s, f); err != nil {
				close(stop)
			}
		}
	}
	if again := <-scanned; err == nil {
		err = again
	}
	return err
}

var errStopScan = errors.New("stop")

// opened is a frame with what can be known of it without its neighbours.
type opened struct {
	segment.Frame
	content frameContent
	hashes  []tlog.Hash
	err     error
}

func openPayload(f segment.Frame) opened {
	o := opened{Frame: f}
	if o.content, o.err = parsePayload(f.Payload); o.err == nil {
		for i := range o.content.entries {
			o.hashes = append(o.hashes, tlog.RecordHash(o.content.entries[i].leaf))
		}
	}
	return o
}

// removeSegment takes away a segment that never had an acknowledged entry, so that its number is free again.
func (l *Log) removeSegment(n uint64) error {
	if err := l.store.fs.Remove(l.dir + "/" + segment.Name(n)); err != nil {
		return fmt.Errorf("removing empty segment %d: %w", n, err)
	}
	if err := l.store.fs.SyncDir(l.dir); err != nil {
		return fmt.Errorf("removing empty segment %d: %w", n, err)
	}
	if err := l.store.fs.Remove(l.dir + "/" + segment.KeysName(n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the keys of empty segment %d: %w", n, err)
	}
	return l.store.fs.SyncDir(l.dir)
}

// frame takes one frame; the entries of a group count when its last frame is there.
func (r *recovery) frame(s *seg, f opened) error {
	if f.err == nil && f.Final != (len(f.content.checkpoint) > 0) {
		f.err = fmt.Errorf("%w: checkpoint in the wrong frame", errPayload)
	}
	if f.err != nil {
		return fmt.Errorf("segment %d, byte %d: %w", s.head.Number, f.Place.Offset, f.err)
	}
	r.group = append(r.group, f)
	if !f.Final {
		return nil
	}
	for i := range r.group {
		if err := r.apply(s, &r.group[i]); err != nil {
			return err
		}
	}
	clear(r.group)
	r.group = r.group[:0]
	r.note, r.tag = append(r.note[:0], f.content.checkpoint...), f.Tag
	return nil
}

func (r *recovery) apply(s *seg, f *opened) error {
	l, c := r.l, &f.content
	if c.first != l.hashes.Size() {
		return fmt.Errorf("segment %d: %w: entry %d where %d belongs", s.head.Number, errPayload, c.first, l.hashes.Size())
	}
	s.add(c.first, f.Place)
	for i := range c.entries {
		if err := r.entry(&c.entries[i], f.hashes[i]); err != nil {
			return fmt.Errorf("segment %d: entry %d: %w", s.head.Number, l.hashes.Size(), err)
		}
	}
	return nil
}

func (r *recovery) entry(e *stored, hash tlog.Hash) error {
	l, leaf := r.l, &r.leaf
	if err := leaf.Decode(e.leaf); err != nil {
		return err
	}
	if leaf.Index != l.hashes.Size() || leaf.Origin != l.origin || leaf.Time < l.last {
		return errors.New("the leaf does not continue this log")
	}
	if kseq, err := l.kinds.Add(leaf.Type); err != nil || kseq != leaf.KSeq {
		return errors.New("the leaf does not continue its type")
	}
	if leaf.Start != nil {
		start := *leaf.Start
		r.start, l.boot = &start, leaf.Boot
	}
	if leaf.Erased != nil {
		for _, t := range leaf.Erased.Targets {
			l.gone.set[t.Index] = leaf.Index
		}
	}
	l.last = leaf.Time
	l.hashes.Append(hash)
	return nil
}

// checkHead compares the rebuilt tree with the last checkpoint stored. Nothing is signed here: the next checkpoint
// will extend the tree in memory.
func (r *recovery) checkHead() error {
	l := r.l
	if l.hashes.Size() == 0 {
		return nil
	}
	c, err := tlog.OpenCheckpoint(r.note, l.origin, l.opts.LogKey.Public().(ed25519.PublicKey), r.start.BootKey[:])
	if err != nil {
		return &Refused{"the last checkpoint stored is not this log's: " + err.Error(), "put the files of this log back as they were"}
	}
	if c.Size != l.hashes.Size() || c.Root != l.hashes.Root() {
		return &Refused{"the entries stored do not have the root that was signed for them", "put the files of this log back as they were"}
	}
	return nil
}
