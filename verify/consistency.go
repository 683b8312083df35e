package verify

import (
	"crypto/ed25519"
	"fmt"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/tlog"
)

const (
	remedyShort = "the server cut or swapped the log: do not rely on it; verify again, and compare with a witness or a receipt"
	remedyBack  = "the machine was rolled back to an old disk, or replaced by a copy: do not rely on it; ask the operator, and show them the checkpoint that this machine remembers"
	remedyFork  = "the log has two histories: do not rely on it; the evidence kept on this machine proves it to anybody (`teapot verify FILE`)"
)

// consistency compares the log with the checkpoint that the TEE attested in the session: the bundle must hold that tree, and
// nothing older.
func (w *logWalk) consistency() {
	if w.a.in.Kind != KindURL && !w.a.sessionShown {
		return // a bundle without session evidence
	}
	c := appraisal.Check{ID: "consistency.session", Source: "the checkpoint in the session statement"}
	attested, err := tlog.ParseCheckpoint([]byte(w.note))
	switch {
	case w.note == "" || err != nil:
		c.Outcome, c.Fault, c.Remedy = appraisal.Failed, "host", remedyShort
		c.Detail = w.label + "the session statement attests no checkpoint of this log"
	case attested.SignedByLog(ed25519.PublicKey(w.part.Log.Key[:])) != tlog.SigGood:
		c.Outcome, c.Fault, c.Remedy = appraisal.Failed, "host", remedyShort
		c.Detail = w.label + "the checkpoint in the session statement is not signed by the log key"
	default:
		w.compare(&c, attested.Checkpoint)
	}
	w.a.add(c)
}

// compare says whether the tree of the bundle holds an attested one as its beginning.
func (w *logWalk) compare(c *appraisal.Check, attested tlog.Checkpoint) {
	shown := w.reader.Checkpoint.Checkpoint
	root, known := w.rootAt(attested.Size)
	c.Got, c.Want = fmt.Sprintf("size %d", shown.Size), fmt.Sprintf("size %d or more", attested.Size)
	switch {
	case shown.Size < attested.Size:
		c.Outcome, c.Fault, c.Remedy = appraisal.Failed, "host", remedyShort
		c.Detail = w.label + fmt.Sprintf("the server shows a log of %d entries, but the TEE just attested %d: the end was cut off", shown.Size, attested.Size)
	case known && root != attested.Root:
		c.Outcome, c.Fault, c.Remedy = appraisal.Failed, "host", remedyShort
		c.Detail = w.label + "the log shown is not the one that the TEE just attested"
		c.Got, c.Want = root.Base64(), attested.Root.Base64()
	case !known:
		c.Detail = w.label + "entries were left out where the attested checkpoint ends: ask for the whole log"
	default:
		c.Outcome, c.Detail = appraisal.Passed, w.label+fmt.Sprintf("the log shown is the one that the TEE attested just now (size %d)", attested.Size)
	}
}

// rootAt is the root of this bundle's tree at a size, if the walk came by it.
func (w *logWalk) rootAt(size uint64) (tlog.Hash, bool) {
	if c := w.reader.Checkpoint; c.Size == size {
		return c.Root, true
	}
	h, ok := w.roots[size]
	return h, ok
}
