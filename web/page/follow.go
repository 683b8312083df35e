package page

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/teapot-tee/teapot/tlog"
)

// Announced is one new entry as the server announces it (GET /v1/agents/{id}/events): the members that count.
type Announced struct {
	Index   uint64 `json:"index"`
	Leaf    []byte `json:"leaf"` // base64
	Content struct {
		Addendum []byte `json:"addendum"` // base64; missing: no content, or not for this reader
	} `json:"content"`
	Checkpoint string `json:"checkpoint"` // signed note of a tree that holds the entry
}

// Followed is what came of announcements: entries that verified, and where to go on.
type Followed struct {
	Entries []Entry         `json:"entries"`
	State   json.RawMessage `json:"state"`
	Size    uint64          `json:"size"`
}

// Follow goes on with the audit of a log: the entries in order, then the checkpoint that covers exactly them. An error
// means that the log does not go on from what was verified before: whoever reads it must not believe it any more.
func Follow(announced []Announced, before json.RawMessage) (*Followed, error) {
	var s state
	if err := strict(before, &s); err != nil {
		return nil, fmt.Errorf("page: state: %w", err)
	}
	audit, err := tlog.ParseAuditState(s.Audit)
	if err != nil {
		return nil, err
	}
	if len(announced) == 0 {
		return nil, errors.New("page: nothing was announced")
	}
	f := &Followed{Entries: []Entry{}}
	auditor, err := tlog.NewAuditor(tlog.AuditOptions{
		Origin: s.Origin, LogKey: s.LogKey, State: audit, Workers: 1,
		Entry: func(l *tlog.Leaf, item *tlog.Item) { f.Entries = append(f.Entries, newEntry(l, item)) },
	})
	if err != nil {
		return nil, err
	}
	return f, f.add(auditor, announced, s)
}

func (f *Followed) add(auditor *tlog.Auditor, announced []Announced, s state) error {
	for _, a := range announced {
		if a.Index != auditor.Size() {
			return fmt.Errorf("the server announced entry %d where %d comes next", a.Index, auditor.Size())
		}
		if err := auditor.Add(a.item()); err != nil {
			return err
		}
	}
	checkpoint, err := tlog.ParseCheckpoint([]byte(announced[len(announced)-1].Checkpoint))
	if err != nil {
		return fmt.Errorf("the announced checkpoint: %w", err)
	}
	report := auditor.Finish(checkpoint)
	if report.State == nil {
		return errors.New(firstFailure(report))
	}
	audit, err := report.State.Marshal()
	if err != nil {
		return err
	}
	s.Audit = audit
	f.Size = checkpoint.Size
	f.State, err = json.Marshal(s)
	return err
}

// item is the entry as the audit takes it. Without the addendum, withheld is the honest word wherever the leaf commits to content.
func (a Announced) item() tlog.Item {
	item := tlog.Item{Leaf: a.Leaf, Addendum: a.Content.Addendum, Status: tlog.StatusDisclosed}
	if len(a.Content.Addendum) > 0 {
		return item
	}
	item.Status = tlog.StatusNone
	if l, err := tlog.DecodeLeaf(a.Leaf); err == nil && l.Content != (tlog.Content{}) {
		item.Status = tlog.StatusWithheld
	}
	return item
}

func firstFailure(r *tlog.AuditReport) string {
	for _, c := range r.Checks {
		if c.Outcome.String() == "failed" {
			return c.Detail
		}
	}
	return "the new entries could not be verified"
}

// Covers says how many entries the checkpoint of an announcement covers: Follow wants them all before it can compare.
func Covers(announced []byte) (uint64, error) {
	var a Announced
	if err := json.Unmarshal(announced, &a); err != nil {
		return 0, fmt.Errorf("an announced entry: %w", err)
	}
	c, err := tlog.ParseCheckpoint([]byte(a.Checkpoint))
	if err != nil {
		return 0, fmt.Errorf("the announced checkpoint: %w", err)
	}
	return c.Size, nil
}
