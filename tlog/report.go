package tlog

import (
	"errors"
	"fmt"
	"strings"

	"github.com/teapot-tee/teapot/appraisal"
)

// AuditReport is what an audit found.
type AuditReport struct {
	Checks      []appraisal.Check    // one for each rule, in fixed order
	Entries     uint64               // walked
	LeftOut     uint64               // stood for by subtrees
	Starts      []StartReport        // in order; compare each with its attested boot statement
	Kinds       *Kinds               // counts by type at the end; nil if they are not proven
	ErasedBy    map[Requester]uint64 // entries that erasures name, by who asked
	Clamped     uint64               // entries whose host's clock was behind
	Disclosed   uint64               // contents that are here
	Erased      uint64               // contents that are missing and called erased
	Withheld    uint64               // contents that are missing
	OpenIntents []uint64             // intents without a result
	State       *AuditState          // to continue from; nil unless every check passed
}

// StartReport is one boot leaf with what the log alone shows about the tree it found.
type StartReport struct {
	Index     uint64 // size of the tree found
	Number    uint64 // of the start
	Time      uint64 // of the boot leaf
	FoundTime uint64 // time of the entry before it; 0 for the first, and where that entry was left out
	Start     Start
}

// OK says whether no check failed.
func (r *AuditReport) OK() bool {
	if r == nil {
		return false // the walk broke off before there was a report
	}
	for _, c := range r.Checks {
		if c.Outcome == appraisal.Failed {
			return false
		}
	}
	return len(r.Checks) == int(ruleCount)
}

func (r *AuditReport) count(by Requester) {
	if r.ErasedBy == nil {
		r.ErasedBy = map[Requester]uint64{}
	}
	r.ErasedBy[by]++
}

// checks fills Checks and State.
func (r *AuditReport) checks(a *Auditor, c *SignedCheckpoint) {
	for i := range ruleCount {
		check := a.found.check(i)
		if check.Outcome == appraisal.Passed {
			r.qualify(i, &check, a)
		}
		r.Checks = append(r.Checks, check)
	}
	if r.OK() && r.Kinds != nil {
		r.State = a.state(c)
	}
}

// qualify says of a passed check what was not there to be checked, and how much was.
func (r *AuditReport) qualify(i rule, c *appraisal.Check, a *Auditor) {
	switch i {
	case ruleConsistency:
		if a.compared == 0 {
			c.Outcome, c.Detail = appraisal.NotChecked, "nothing was seen of this log before"
		}
	case ruleSignature:
		c.Detail = fmt.Sprintf("all %d entries are signed by the agent key of their start", r.Entries)
	case ruleTime:
		if r.Clamped > 0 {
			c.Detail += fmt.Sprintf("; %d entries bear their predecessor's time, because the host's clock was more than five minutes behind it", r.Clamped)
		}
	case ruleIntent:
		if n := len(r.OpenIntents); n > 0 {
			c.Detail += fmt.Sprintf("; %d intents have no result (yet)", n)
		}
	case ruleErasure:
		c.Detail = r.erasures()
	case ruleContent:
		c.Detail = fmt.Sprintf("the %d contents shown are those their entries commit to", r.Disclosed)
		if r.Disclosed == 0 {
			c.Outcome, c.Detail = appraisal.NotChecked, "no contents are here"
		}
	case ruleWithheld:
		c.Detail += fmt.Sprintf("; %d are not shown (private, or not asked for), %d are erased", r.Withheld, r.Erased)
		if !a.o.Contents {
			c.Outcome, c.Detail = appraisal.NotChecked, "contents were not asked for"
		}
	}
}

// erasures counts erased entries by who asked.
func (r *AuditReport) erasures() string {
	var by []string
	for i := range requesters {
		if n := r.ErasedBy[Requester(i)]; n > 0 {
			by = append(by, fmt.Sprintf("%d on demand of %s", n, Requester(i)))
		}
	}
	if len(by) == 0 {
		return "no contents were erased"
	}
	return "contents were erased only where that is allowed: " + strings.Join(by, ", ")
}

// AuditState is what a reader remembers of a log, to continue an audit where the last one ended. It is the reader's own: one
// that came from somebody else proves nothing.
type AuditState struct {
	Origin   string   `json:"origin"`
	Size     uint64   `json:"size"`
	Roots    Hashes64 `json:"roots"` // of the perfect subtrees, largest first
	Kinds    []byte   `json:"kinds"` // deterministic CBOR
	Boot     uint64   `json:"boot"`  // newest start
	BootKey  []byte   `json:"boot_key"`
	AgentKey []byte   `json:"agent_key"`
	Time     uint64   `json:"time"`              // of the newest entry
	Intents  []uint64 `json:"intents,omitempty"` // without a result
	Whole    bool     `json:"whole"`             // every entry was walked
}

// Marshal returns the state as JSON.
func (s *AuditState) Marshal() ([]byte, error) { return marshalJSON(s) }

// ParseAuditState reads what Marshal wrote.
func ParseAuditState(b []byte) (*AuditState, error) {
	s := new(AuditState)
	if err := unmarshalJSON(b, s); err != nil {
		return nil, fmt.Errorf("remembered log: %w", err)
	}
	return s, nil
}

// Root returns the root of the tree remembered.
func (s *AuditState) Root() (Hash, error) {
	t, err := NewTree(s.Size, s.Roots)
	return t.Root(), err
}

func (a *Auditor) state(c *SignedCheckpoint) *AuditState {
	w := &a.walk
	return &AuditState{
		Origin: c.Origin, Size: c.Size, Roots: a.tree.Roots(), Kinds: a.report.Kinds.Append(nil), Boot: w.boot,
		BootKey: w.bootKey[:], AgentKey: w.agentKey[:], Time: w.time, Intents: a.report.OpenIntents, Whole: w.all.gapless,
	}
}

// resume puts the Auditor where an earlier audit ended.
func (a *Auditor) resume(s *AuditState) error {
	tree, err := NewTree(s.Size, s.Roots)
	if err != nil {
		return fmt.Errorf("remembered log: %w", err)
	}
	kinds, err := ParseKinds(s.Kinds)
	if err != nil {
		return fmt.Errorf("remembered log: %w", err)
	}
	if s.Origin != a.o.Origin || kinds.Total() != s.Size || s.Size == 0 || len(s.BootKey) != 32 || len(s.AgentKey) != 32 {
		return errors.New("remembered log: it is of another log, or damaged")
	}
	a.tree = tree
	w := &a.walk
	w.started, w.boot, w.time, w.exact, w.lastHere, w.kinds = true, s.Boot, s.Time, true, true, kinds
	copy(w.bootKey[:], s.BootKey)
	copy(w.agentKey[:], s.AgentKey)
	for _, i := range s.Intents {
		w.intents[i] = true
	}
	known := s.Whole || a.o.Window.From >= s.Size
	w.all = run{next: s.Size, end: s.Size, time: s.Time, gapless: s.Whole, gap: !known}
	for name, next := range kinds.All {
		w.next[name] = &run{next: next, gapless: true, gap: !known}
	}
	return nil
}
