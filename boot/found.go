package boot

import (
	"fmt"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/evidence"
)

// maxLogNumber bounds the earlier logs that every statement must name: the number comes from an operator or, for keys of one start, from
// a disk that the host writes.
const maxLogNumber = 10_000

// numbered decides which log of an agent this start writes. Where keys live for one start no older log can be opened: every start
// begins the next one. Elsewhere a log that was given up for a newer one is not taken up again.
func (p *Process) numbered(spec AgentSpec) (AgentSpec, error) {
	if n, known := p.numbers[spec.ID]; known {
		spec.LogNumber = n
		return spec, nil
	}
	newest, some, err := p.store.Newest(spec.ID)
	switch {
	case err != nil:
		return spec, err
	case some && p.config.Attester.Custody() == evidence.ThisStart:
		spec.LogNumber = max(spec.LogNumber, newest+1)
	case some && newest > spec.LogNumber:
		return spec, &actionlog.Refused{
			What: fmt.Sprintf("the data directory has the agent's log number %d, and this start would go on with number %d, which was given up for it", newest, spec.LogNumber),
			Next: fmt.Sprintf("start with --log-number %d", newest),
		}
	}
	if spec.LogNumber > maxLogNumber {
		return spec, &actionlog.Refused{
			What: fmt.Sprintf("this would be log number %d of the agent, and every statement names all earlier ones: at most %d", spec.LogNumber, maxLogNumber),
			Next: "start with a new data directory, or the next number after the agent's last log",
		}
	}
	p.numbers[spec.ID] = spec.LogNumber
	return spec, nil
}

// clockBehind warns when the host's clock stands before the newest entry: entries cannot go back in time.
func (p *Process) clockBehind(spec AgentSpec, last uint64) {
	newest, now := time.UnixMicro(int64(last)), p.config.Now()
	if !now.Before(newest) {
		return
	}
	p.config.Logger.Warn("the clock is behind the newest entry of the log: new entries bear that entry's time until the clock has passed it, and are marked as clamped while it is more than five minutes behind; set the clock",
		"agent", spec.Name, "clock", now.UTC().Format(time.RFC3339), "newest entry", newest.UTC().Format(time.RFC3339), "behind", newest.Sub(now).Round(time.Second).String())
}
