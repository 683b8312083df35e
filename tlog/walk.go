package tlog

import (
	"fmt"
	"slices"
	"strings"
)

// walk is what an Auditor remembers of the entries it has passed.
type walk struct {
	started  bool // a boot leaf was seen
	boot     uint64
	bootKey  [32]byte
	agentKey [32]byte
	time     uint64

	exact bool            // counts are known exactly: nothing was left out
	kinds Kinds           // while exact
	next  map[string]*run // by type
	all   run             // of entries of every type, with the index in the place of kseq

	seen      seen
	intents   map[uint64]bool // intents without a result
	lastHere  bool            // the newest entry was walked, not left out
	lastKinds Hash            // its Kinds
}

// run follows the numbers of one type and notices gaps that matter for the window.
type run struct {
	next    uint64 // the least number its next entry can have
	end     uint64 // the least index its next entry can have
	time    uint64 // the least time its next entry can have
	gap     bool   // an entry of the window may be missing
	gapless bool   // no number at all is missing so far
}

func newWalk() walk {
	return walk{exact: true, next: map[string]*run{}, all: run{gapless: true}, intents: map[uint64]bool{}}
}

// skip notes that entries are not here.
func (w *walk) skip() { w.exact, w.lastHere = false, false }

// see takes the number n of an entry and says whether it fits behind the numbers before. Entries that are missing in front of it
// have indices from r.end up to its own and times from r.time up to its own; they matter if some may lie in the window.
func (r *run) see(n uint64, l *Leaf, win *Window) bool {
	ok := n >= r.next
	if n != r.next {
		r.gapless = false
		outside := l.Index <= win.From || win.before(l.Index, l.Time) || win.after(r.end, r.time)
		r.gap = r.gap || !outside
	}
	r.next, r.end, r.time = n+1, l.Index+1, l.Time
	return ok
}

// complete says whether the run holds every entry of the window, given the number of entries there are.
func (r *run) complete(count uint64, win *Window) bool {
	return !r.gap && (r.next == count || win.after(r.end, r.time))
}

// rules checks one decoded entry in order.
func (a *Auditor) rules(l *Leaf, item *Item) {
	w, index := &a.walk, a.tree.Size()
	if l.Origin != a.o.Origin {
		a.found.add(ruleEntryOrigin, index, fmt.Sprintf("the entry is of log %q", clip(l.Origin)))
	}
	if l.Index != index {
		a.found.add(ruleIndex, index, fmt.Sprintf("the entry says index %d", l.Index))
		l.Index = index // so that later findings name the place
	}
	if l.Type == TypeBoot {
		a.startRules(l)
	} else if !w.started || l.Boot != w.boot {
		a.found.add(ruleStart, index, fmt.Sprintf("the entry says start %d; %s", l.Boot, w.starts()))
	}
	a.countRules(l)
	if l.Time < w.time {
		a.found.add(ruleTime, index, fmt.Sprintf("time %d is before its predecessor's %d", l.Time, w.time))
	}
	w.time = max(w.time, l.Time)
	if l.Source == SourceCaller && !strings.HasPrefix(l.Type, AppPrefix) && l.Type != TypeIntent && l.Type != TypeResult {
		a.found.add(ruleSource, index, fmt.Sprintf("a caller wrote type %q", l.Type))
	}
	if l.Clamped {
		a.report.Clamped++
	}
	a.contentRules(l, item)
	w.seen.add(index, l.Type, item.Status == StatusErased)
	a.eraseRules(l)
	a.intentRules(l)
}

func (w *walk) starts() string {
	if !w.started {
		return "no boot leaf stands before it"
	}
	return fmt.Sprintf("the newest boot leaf before it opens start %d", w.boot)
}

// startRules checks a boot leaf and makes its keys the valid ones.
func (a *Auditor) startRules(l *Leaf) {
	w := &a.walk
	if root := a.tree.Root(); l.Start.Root != root {
		a.found.add(ruleStart, l.Index, fmt.Sprintf("the boot leaf found root %s, the tree before it has %s", l.Start.Root.Base64(), root.Base64()))
	}
	if w.started && l.Boot != w.boot+1 || !w.started && l.Boot != 0 {
		a.found.add(ruleStart, l.Index, fmt.Sprintf("the boot leaf opens start %d; %s", l.Boot, w.starts()))
	}
	found := w.time
	if !w.lastHere {
		found = 0 // the entry before it was left out
	}
	a.report.Starts = append(a.report.Starts, StartReport{l.Index, l.Boot, l.Time, found, *l.Start})
	w.started, w.boot, w.bootKey, w.agentKey = true, l.Boot, l.Start.BootKey, l.Start.AgentKey
}

// countRules checks kseq and kinds.
func (a *Auditor) countRules(l *Leaf) {
	w := &a.walk
	r := w.next[l.Type]
	if r == nil {
		r = &run{gapless: true}
		w.next[strings.Clone(l.Type)] = r
	}
	w.all.see(l.Index, l, &a.o.Window)
	want := r.next
	if ok := r.see(l.KSeq, l, &a.o.Window); !ok || w.exact && l.KSeq != want {
		a.found.add(ruleKSeq, l.Index, fmt.Sprintf("entry %d of type %s, want %d", l.KSeq, l.Type, want))
	}
	w.lastHere, w.lastKinds = true, l.Kinds
	if !w.exact {
		return
	}
	if _, err := w.kinds.Add(l.Type); err != nil {
		a.found.add(ruleKinds, l.Index, err.Error())
	} else if w.kinds.Hash() != l.Kinds {
		a.found.add(ruleKinds, l.Index, "the hash of the counts by type is not that of the entries up to here")
	}
}

// contentRules checks that status and leaf belong together; the commitment itself is checked by the workers.
func (a *Auditor) contentRules(l *Leaf, item *Item) {
	r := &a.report
	has := l.Content != Content{}
	switch item.Status {
	case StatusNone:
		if has {
			a.found.add(ruleContent, l.Index, "the leaf commits to content of which nothing is said")
		}
		return
	case StatusDisclosed:
		r.Disclosed++
	case StatusErased:
		r.Erased++
	case StatusWithheld:
		r.Withheld++
		if a.o.Contents && l.Content.Visibility == VisiblePublic && a.o.Window.holds(l) {
			a.found.add(ruleWithheld, l.Index, "public content is missing, and no erasure explains it")
		}
	}
	if !has {
		a.found.add(ruleContent, l.Index, "content of an entry that has none")
	}
}

// eraseRules checks an erasure's targets. Types of targets that were left out or lie before State are believed as the leaf
// says them.
func (a *Auditor) eraseRules(l *Leaf) {
	if l.Erased == nil {
		return
	}
	if a.o.MayErase != nil {
		if err := a.o.MayErase(l.Boot, l.Erased.Requester); err != nil {
			a.found.add(ruleErasure, l.Index, err.Error())
		}
	}
	for _, t := range l.Erased.Targets {
		kind, known := a.walk.seen.kind(t.Index)
		switch {
		case !Erasable(t.Type) || known && !Erasable(kind):
			a.found.add(ruleErasure, l.Index, fmt.Sprintf("erases entry %d, whose type cannot be erased", t.Index))
		case known && kind != t.Type:
			a.found.add(ruleErasure, l.Index, fmt.Sprintf("says that entry %d is of type %s, it is of type %s", t.Index, t.Type, kind))
		}
		if a.walk.seen.erase(t.Index) {
			a.report.count(l.Erased.Requester)
		}
	}
}

// intentRules follows intents to their results.
func (a *Auditor) intentRules(l *Leaf) {
	switch l.Type {
	case TypeIntent:
		a.walk.intents[l.Index] = true
	case TypeResult:
		led := false
		for _, c := range l.Cause {
			kind, known := a.walk.seen.kind(c)
			led = led || !known || kind == TypeIntent
			delete(a.walk.intents, c)
		}
		if !led {
			a.found.add(ruleIntent, l.Index, "a result without an intent among its causes")
		}
	}
}

// finishEntries checks what only the end shows: completeness, and erasures behind the entries they erased.
func (a *Auditor) finishEntries(c *SignedCheckpoint) {
	w := &a.walk
	kinds := a.finalKinds(c)
	if kinds != nil {
		a.completeness(kinds, c.Size)
		a.report.Kinds = kinds
	}
	for i := range w.seen.unexplained {
		a.found.add(ruleWithheld, i, "content is called erased, but no erasure names this entry")
	}
	for i := range w.intents {
		a.report.OpenIntents = append(a.report.OpenIntents, i)
	}
	slices.Sort(a.report.OpenIntents)
}

// finalKinds returns the counts at the end: those walked, or those claimed if the last entry vouches for them.
func (a *Auditor) finalKinds(c *SignedCheckpoint) *Kinds {
	w := &a.walk
	if w.exact {
		k := w.kinds.Clone()
		return &k
	}
	switch {
	case !w.lastHere:
		a.found.add(ruleComplete, c.Size, "the last entry, which vouches for the counts by type, is not here")
	case a.o.Kinds == nil:
		a.found.add(ruleComplete, c.Size, "entries are left out, and the counts by type are not here")
	case a.o.Kinds.Hash() != w.lastKinds || a.o.Kinds.Total() != a.tree.Size():
		a.found.add(ruleComplete, c.Size, "the counts by type are not those of the last entry")
	default:
		return a.o.Kinds
	}
	return nil
}

// completeness checks that every start is here and that the window holds all that it claims.
func (a *Auditor) completeness(kinds *Kinds, size uint64) {
	w := &a.walk
	if r := w.next[TypeBoot]; r == nil || !r.gapless || r.next != kinds.Next(TypeBoot) {
		a.found.add(ruleStart, size, fmt.Sprintf("the log has %d starts, not all of them are here", kinds.Next(TypeBoot)))
	}
	for name, r := range w.next {
		if r.next > kinds.Next(name) {
			a.found.add(ruleKinds, size, fmt.Sprintf("more entries of type %s than the counts say", name))
		}
	}
	if len(a.o.Window.Types) == 0 {
		if !w.all.complete(size, &a.o.Window) {
			a.found.add(ruleComplete, size, "entries of the range asked for are missing")
		}
		return
	}
	for _, name := range a.o.Window.Types {
		r := w.next[name]
		if r == nil {
			r = new(run)
		}
		if !r.complete(kinds.Next(name), &a.o.Window) {
			a.found.add(ruleComplete, size, fmt.Sprintf("entries of type %s in the range asked for are missing", name))
		}
	}
}
