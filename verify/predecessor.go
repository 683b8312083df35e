package verify

import (
	"bytes"
	"slices"

	"github.com/teapot-tee/teapot/evidence"
)

// predecessor is the start that was open where this machine's last walk ended: the first new start is compared with it, so
// that whoever looks again sees a weaker policy as well as whoever looks for the first time. The bundle brings its evidence
// (docs/formats/bundle.md); nil when it does not, or when that evidence is not of that start and that root.
func (w *logWalk) predecessor() *start {
	for _, ev := range w.docs {
		boot, err := evidence.ParseBoot(ev.Statement)
		if err != nil || !bytes.Equal(boot.BootKey[:], w.resume.BootKey) {
			continue
		}
		s := w.a.start("the start before", ev, w.a.at)
		if s.bound && w.sameRoot(s) && slices.ContainsFunc(s.parts, w.openedAtBase) {
			return s
		}
	}
	return nil
}

// openedAtBase: the part is this log's, with the agent key that this machine verified.
func (w *logWalk) openedAtBase(p *evidence.AgentPart) bool {
	return p.Log.Origin == w.part.Log.Origin && bytes.Equal(p.AgentKey[:], w.resume.AgentKey)
}

// sameRoot: the quote is good under the root of the current start.
func (w *logWalk) sameRoot(s *start) bool {
	current := w.a.current
	return current != nil && current.readable() && s.judged.report.RootSHA256 == current.judged.report.RootSHA256 &&
		len(badIn(s.judged.report, isHardware)) == 0
}

// before returns the start that the first start of this walk follows; unknown is true where there is one and it is not here.
func (w *logWalk) before() (s *start, unknown bool) {
	if w.resume == nil || len(w.report.Starts) == 0 {
		return nil, false
	}
	s = w.predecessor()
	return s, s == nil
}
