package verify

import (
	"bytes"
	"encoding/hex"

	"github.com/teapot-tee/teapot/tlog"
)

// remembered picks what the reader saw of this log, and the audit to go on from.
func (w *logWalk) remembered() {
	for _, s := range w.a.in.Seen {
		if s.Origin == w.part.Log.Origin {
			w.seen = append(w.seen, s)
		}
	}
	base := w.reader.Header.Base
	if base == 0 {
		return
	}
	for _, s := range w.seen {
		if state, err := tlog.ParseAuditState(s.State); err == nil && state.Size == base && s.AcceptedUnder(w.a.policy) {
			w.resume = state
		}
	}
}

func (w *logWalk) remember(l Log) {
	if w.report == nil || w.report.State == nil || w.a.current == nil || !w.a.current.readable() {
		return
	}
	state, err := w.report.State.Marshal()
	if err != nil {
		return // it stays what was seen before
	}
	target := ""
	if w.a.in.Kind == KindURL {
		target = w.a.in.Target
	}
	looks := 1
	for _, s := range w.seen {
		looks = max(looks, s.Looks+1)
		if c, err := tlog.ParseCheckpoint(s.Checkpoint); err == nil && c.Size > w.reader.Checkpoint.Size {
			return // an older file: what is remembered is more
		}
		if old, err := tlog.ParseAuditState(s.State); err == nil && old.Whole && !w.report.State.Whole && s.AcceptedUnder(w.a.policy) {
			state = s.State // this look walked only a part: the next one goes on from the last whole walk
		}
	}
	root := w.a.current.judged.report.RootSHA256
	w.a.result.Remember = append(w.a.result.Remember, Seen{
		Type: SeenType, Target: target, Agent: w.part.Agent, Origin: w.part.Log.Origin, LogKey: w.part.Log.Key.String(),
		TrustRoot: hex.EncodeToString(root[:]), Checkpoint: bytes.Clone(w.reader.Checkpoint.Raw), State: state, At: w.a.result.JudgedAt, Looks: looks,
		Simulated: w.a.simulated, Platform: w.a.result.Platform, Policy: w.a.policy.Digest(),
	})
}
