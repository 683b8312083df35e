package verify

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/tlog"
)

// memory compares the log with what this machine saw of it before. The first look says so and passes nothing.
func (w *logWalk) memory(l Log) {
	c := appraisal.Check{ID: "rollback.memory", Source: "this machine's memory"}
	first := true
	for _, s := range w.a.in.Seen {
		if s.Origin != w.part.Log.Origin && !(w.a.in.Kind == KindURL && s.Target == w.a.in.Target && s.Agent == w.part.Agent) {
			continue
		}
		first = false
		if w.sameLog(&c, s) {
			w.extends(&c, s, l)
		}
		if c.Outcome == appraisal.Failed {
			break
		}
	}
	if first {
		w.a.mayMiss = append(w.a.mayMiss, "rollback.memory")
		c.Detail = w.label + "first look: this machine remembers nothing of this log yet"
	}
	w.a.add(c)
}

// sameLog: origin, log key and root of trust of an agent never change without the reader's say.
func (w *logWalk) sameLog(c *appraisal.Check, s Seen) bool {
	root := ""
	if w.a.current != nil && w.a.current.readable() {
		r := w.a.current.judged.report.RootSHA256
		root = hex.EncodeToString(r[:])
	}
	for _, f := range []struct{ what, got, want string }{
		{"log origin", w.part.Log.Origin, s.Origin}, {"log key", w.part.Log.Key.String(), s.LogKey}, {"root of trust", root, s.TrustRoot},
	} {
		if f.got != f.want {
			c.Outcome, c.Got, c.Want, c.Fault = appraisal.Failed, f.got, f.want, "host"
			c.Detail = w.label + fmt.Sprintf("this agent has another %s than on %s: it is not the log this machine saw", f.what, s.At.UTC().Format(time.DateOnly))
			c.Remedy = "if you reset the agent yourself, say `teapot verify --forget` once; otherwise somebody replaced it: do not trust it"
			return false
		}
	}
	return true
}

// extends: the log must hold the tree that was seen.
func (w *logWalk) extends(c *appraisal.Check, s Seen, l Log) {
	was, err := tlog.ParseCheckpoint(s.Checkpoint)
	if err != nil {
		c.Outcome, c.Fault, c.Remedy = appraisal.Failed, "reader", "remove the damaged memory of this log (--forget) to start over"
		c.Detail = w.label + "what this machine remembers cannot be read: " + err.Error()
		return
	}
	now := w.reader.Checkpoint.Checkpoint
	c.Got, c.Want = fmt.Sprintf("size %d", now.Size), fmt.Sprintf("the tree of size %d seen on %s", was.Size, s.At.UTC().Format(time.RFC3339))
	root, known := w.rootAt(was.Size)
	switch {
	case now.Size < was.Size && w.a.in.Kind == KindURL:
		c.Outcome, c.Fault, c.Remedy = appraisal.Failed, "host", remedyBack
		c.Detail = w.label + fmt.Sprintf("the log is shorter than before: %d entries now, %d when this machine looked last: rolled back", now.Size, was.Size)
	case now.Size < was.Size:
		w.olderFile(c, was)
	case now.Size == was.Size && known && root == was.Root && s.Looks < 2 && w.a.in.Kind != KindURL:
		w.a.mayMiss = append(w.a.mayMiss, "rollback.memory")
		c.Detail = w.label + "this machine has looked at this log only once, at this very size: nothing to compare over time yet"
	case known && root != was.Root || w.resume != nil && !w.report.OK():
		c.Outcome, c.Fault, c.Remedy = appraisal.Failed, "host", remedyFork
		c.Detail = w.label + "the log was rewritten: it does not hold the entries that this machine saw before"
		w.keepFork(was, root, known, l)
	case !known:
		w.proven(c, was, l)
	default:
		c.Outcome, c.Detail = appraisal.Passed, w.label+fmt.Sprintf("the log holds everything that this machine saw before (%d entries)", was.Size)
	}
}

// olderFile: a file may be older than what was seen; then nothing is compared but the size they share.
func (w *logWalk) olderFile(c *appraisal.Check, was *tlog.SignedCheckpoint) {
	w.a.mayMiss = append(w.a.mayMiss, "rollback.memory")
	c.Detail = w.label + fmt.Sprintf("the file is older than what this machine saw (%d entries)", was.Size)
}

// proven asks the server for a consistency proof when the walk did not come by the size seen.
func (w *logWalk) proven(c *appraisal.Check, was *tlog.SignedCheckpoint, l Log) {
	now := w.reader.Checkpoint.Checkpoint
	if l.Proof == nil {
		c.Detail = w.label + "the file leaves out the entries that this machine saw, so they cannot be compared"
		w.a.mayMiss = append(w.a.mayMiss, "rollback.memory")
		return
	}
	hashes, err := l.proof(was.Size, now.Size)
	if err == nil {
		err = tlog.VerifyConsistency(was.Size, now.Size, hashes, was.Root, now.Root)
	}
	if err != nil {
		c.Outcome, c.Fault, c.Remedy = appraisal.Failed, "host", remedyFork
		c.Detail = w.label + "the server cannot prove that the log holds what this machine saw before: " + err.Error()
		return
	}
	c.Outcome, c.Detail = appraisal.Passed, w.label+fmt.Sprintf("a consistency proof shows that the log holds what this machine saw before (%d entries)", was.Size)
}

// keepFork makes portable evidence of a fork, if the server's own proof shows the other history.
func (w *logWalk) keepFork(was *tlog.SignedCheckpoint, root tlog.Hash, known bool, l Log) {
	if !known {
		return
	}
	now := w.reader.Checkpoint
	var hashes []tlog.Hash
	if now.Size > was.Size {
		if l.Proof == nil {
			return
		}
		var err error
		if hashes, err = l.proof(was.Size, now.Size); err != nil {
			return
		}
	}
	fork, err := tlog.NewFork(ed25519.PublicKey(w.part.Log.Key[:]), was.Raw, now.Raw, root, hashes)
	if err != nil {
		return // the verdict stands; there is only nothing to hand to a third person
	}
	if doc, err := fork.Marshal(); err == nil {
		w.a.result.Forks = append(w.a.result.Forks, doc)
	}
}

func (l Log) proof(from, to uint64) ([]tlog.Hash, error) {
	raw, err := l.Proof(from, to)
	if err != nil {
		return nil, err
	}
	hashes := make([]tlog.Hash, len(raw))
	for i, h := range raw {
		if len(h) != len(tlog.Hash{}) {
			return nil, fmt.Errorf("hash %d of the proof has %d bytes", i, len(h))
		}
		hashes[i] = tlog.Hash(h)
	}
	return hashes, nil
}

func unix(seconds uint64) string {
	if seconds == 0 {
		return "never"
	}
	return time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339)
}
