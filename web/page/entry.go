package page

import (
	"encoding/hex"
	"time"
	"unicode/utf8"

	"github.com/teapot-tee/teapot/tlog"
)

// Entry is one entry of a log as its leaf says it. Outcome is the verifier's word on this entry alone: its signature, its
// content and, by the audit of the whole, its place.
type Entry struct {
	Index        uint64    `json:"index"`
	Type         string    `json:"type"`
	Boot         uint64    `json:"boot"`
	Time         time.Time `json:"time"`
	Clamped      bool      `json:"clamped,omitempty"`
	Room         string    `json:"room,omitempty"` // the real ids where disclosed, else the pseudonyms
	User         string    `json:"user,omitempty"`
	Speaker      string    `json:"speaker,omitempty"`
	Source       string    `json:"source,omitempty"`
	Cause        []uint64  `json:"cause"`
	MediaType    string    `json:"media_type,omitempty"`
	LeafHash     string    `json:"leaf_hash"`
	Content      string    `json:"content,omitempty"` // as text
	ContentState string    `json:"content_state"`     // none, shown, withheld, erased
	Outcome      string    `json:"outcome"`           // passed, failed
	Detail       string    `json:"detail,omitempty"`
}

const maxContent = 4000 // bytes of content handed to the page

func newEntry(l *tlog.Leaf, item *tlog.Item) Entry {
	hash := tlog.RecordHash(item.Leaf)
	e := Entry{
		Index: l.Index, Type: l.Type, Boot: l.Boot, Time: time.UnixMicro(int64(l.Time)).UTC(), Clamped: l.Clamped,
		Room: l.Room.String(), User: l.User.String(), Speaker: l.Speaker.String(), Source: l.Source.String(),
		Cause: append([]uint64{}, l.Cause...), MediaType: l.Content.MediaType, LeafHash: hex.EncodeToString(hash[:]),
		Outcome: "passed",
	}
	e.contentOf(l, item)
	return e
}

// contentOf opens the content. A content that is not what the leaf commits to is never shown.
func (e *Entry) contentOf(l *tlog.Leaf, item *tlog.Item) {
	switch item.Status {
	case tlog.StatusErased:
		e.ContentState = "erased"
	case tlog.StatusWithheld:
		e.ContentState = "withheld"
	case tlog.StatusDisclosed:
		d, err := tlog.OpenAddendum(l.Content, item.Addendum)
		if err != nil {
			e.ContentState = "withheld"
			e.fail(err.Error())
			return
		}
		e.ContentState, e.Room, e.User = "shown", d.Room, d.User
		e.Content = text(d.Content)
	default:
		e.ContentState = "none"
	}
}

func (e *Entry) fail(why string) { e.Outcome, e.Detail = "failed", why }

// text is content as a person can read it; binary content is hex, and long content is cut.
func text(b []byte) string {
	if !utf8.Valid(b) {
		return hex.EncodeToString(b[:min(len(b), 64)])
	}
	if len(b) <= maxContent {
		return string(b)
	}
	cut := maxContent
	for !utf8.RuneStart(b[cut]) {
		cut--
	}
	return string(b[:cut]) + "…"
}
