package boot

import (
	"errors"
	"fmt"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/evidence"
)

// refused says what to do about a log that cannot be opened where no start can open an older one's.
func (p *Process) refused(spec AgentSpec, err error) error {
	r, ok := errors.AsType[*actionlog.Refused](err)
	if !ok || p.config.Attester.Custody() != evidence.ThisStart {
		return err
	}
	return &actionlog.Refused{What: r.What, Next: fmt.Sprintf("the keys of this platform live for one start, so no start can open the log of an older one: "+
		"begin a new log with --log-number %d, or use another data directory (an operator key, given at the first start, would have kept this one)", spec.LogNumber+1)}
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
