package boot

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"

	"github.com/teapot-tee/teapot/evidence"
)

// earlierLogs names the logs given up before this one: their origins follow from keys that only this platform derives, their last
// checkpoints from the data directory, where they still lie there undamaged. What cannot be seen is "unknown", never left out.
func (p *Process) earlierLogs(ctx context.Context, spec AgentSpec) ([]evidence.EarlierLog, error) {
	list := []evidence.EarlierLog{}
	for n := range spec.LogNumber {
		if p.config.Attester.Custody() == evidence.ThisStart { // its key is gone: what this start derives never was a log's
			list = append(list, evidence.EarlierLog{Origin: evidence.Unknown, Checkpoint: evidence.Unknown})
			continue
		}
		before := spec
		before.LogNumber = n
		d, err := deriveKeys(ctx, p.config.Attester, before)
		if err != nil {
			return nil, err
		}
		list = append(list, evidence.EarlierLog{
			Origin:     evidence.Origin(spec.ID, evidence.PublicKey(d.log.Public().(ed25519.PublicKey))),
			Checkpoint: p.lastCheckpoint(ctx, before, d),
		})
	}
	return list, nil
}

// lastCheckpoint opens an earlier log of the data directory and reads its last checkpoint; nothing is written to it.
func (p *Process) lastCheckpoint(ctx context.Context, spec AgentSpec, d derived) string {
	if _, err := os.Stat(filepath.Join(p.config.Dir, "log", "logs", fmt.Sprintf("%s-%d", spec.ID, spec.LogNumber))); err != nil {
		return evidence.Unknown
	}
	log, err := p.openLog(spec, d)
	if err != nil {
		p.config.Logger.WarnContext(ctx, "an earlier log cannot be read; the boot statement says unknown", "agent", spec.ID, "number", spec.LogNumber, "cause", err)
		return evidence.Unknown
	}
	if checkpoint := log.Found().Checkpoint; checkpoint != nil {
		return string(checkpoint)
	}
	return evidence.Unknown
}
