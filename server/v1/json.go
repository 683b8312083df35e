package v1

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/tlog"
)

// Entry is one entry in JSON (docs/formats/entries.md). The leaf is the truth; the members beside it only spell it out.
type Entry struct {
	Index    uint64         `json:"index"`
	Leaf     []byte         `json:"leaf"` // base64
	Hash     tlog.Hash      `json:"hash"`
	Type     string         `json:"type"`
	KSeq     uint64         `json:"kseq"`
	Start    uint64         `json:"start"` // number of the start that wrote it
	Time     uint64         `json:"time"`  // microseconds since 1970
	Clamped  bool           `json:"clamped,omitempty"`
	RoomName string         `json:"room_pseudonym,omitempty"`
	UserName string         `json:"user_pseudonym,omitempty"`
	Speaker  tlog.Speaker   `json:"speaker"`
	Source   tlog.Source    `json:"source"`
	Cause    []uint64       `json:"cause"`
	Content  *Content       `json:"content,omitempty"`
	Erasure  *Erasure       `json:"erasure,omitempty"`
	Boot     *Boot          `json:"boot,omitempty"`
	Proof    *tlog.Hashes64 `json:"proof,omitempty"`      // base64 of the sibling hashes, leaf to root
	Note     string         `json:"checkpoint,omitempty"` // signed note
}

// Content is what became of an entry's content.
type Content struct {
	Status     string          `json:"status"` // disclosed, erased, withheld
	MediaType  string          `json:"media_type"`
	Visibility tlog.Visibility `json:"visibility"`
	ErasedBy   *uint64         `json:"erased_by,omitempty"`
	Addendum   []byte          `json:"addendum,omitempty"` // base64: salt and disclosed part, what the leaf commits to
	Room       string          `json:"room,omitempty"`     // real ids, for those who may have them
	User       string          `json:"user,omitempty"`
	Text       *string         `json:"text,omitempty"` // the content where it is text
	Data       []byte          `json:"data,omitempty"` // base64, where it is not
}

// Erasure is the body of an erasure leaf.
type Erasure struct {
	Targets   []Target       `json:"targets"`
	Requester tlog.Requester `json:"requester"`
	By        string         `json:"by_pseudonym,omitempty"`
	Reason    string         `json:"reason"`
}

// Target is one entry whose content was erased.
type Target struct {
	Index uint64 `json:"index"`
	Type  string `json:"type"`
}

// Boot are the public bytes of a boot leaf, base64.
type Boot struct {
	Statement []byte `json:"statement"`
	Part      []byte `json:"part"`
	Evidence  []byte `json:"evidence"`
}

// entryOf spells an item out; it must have passed Log.For.
func entryOf(it *actionlog.Item) *Entry {
	l := &it.Leaf
	e := &Entry{
		Index: it.Index, Leaf: it.Raw, Hash: it.Hash, Type: l.Type, KSeq: l.KSeq, Start: l.Boot, Time: l.Time, Clamped: l.Clamped,
		RoomName: l.Room.String(), UserName: l.User.String(), Speaker: l.Speaker, Source: l.Source, Cause: append([]uint64{}, l.Cause...),
	}
	if l.Erased != nil {
		e.Erasure = &Erasure{[]Target{}, l.Erased.Requester, l.Erased.By.String(), l.Erased.Reason}
		for _, t := range l.Erased.Targets {
			e.Erasure.Targets = append(e.Erasure.Targets, Target(t))
		}
	}
	if it.State != actionlog.ContentNone {
		e.Content = contentOf(it)
	}
	return e
}

func contentOf(it *actionlog.Item) *Content {
	c := &Content{MediaType: it.Leaf.Content.MediaType, Visibility: it.Leaf.Content.Visibility, Status: it.State.String()}
	switch it.State {
	case actionlog.ContentErased:
		c.ErasedBy = &it.ErasedBy
	case actionlog.ContentShown:
		c.Status, c.Addendum, c.Room, c.User = tlog.StatusDisclosed.String(), it.Addendum, it.Content.Room, it.Content.User
		if b := it.Content.Content; isText(c.MediaType) && utf8.Valid(b) {
			text := string(b)
			c.Text = &text
		} else {
			c.Data = b
		}
	}
	return c
}

func isText(media string) bool {
	return strings.HasPrefix(media, "text/") || strings.HasPrefix(media, "application/json") || strings.Contains(media, "+json")
}

// prove adds proof and checkpoint.
func (e *Entry) prove(path []tlog.Hash, note []byte) *Entry {
	h := append(tlog.Hashes64{}, path...)
	e.Proof, e.Note = &h, string(note)
	return e
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := encode(v)
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client is gone; nothing to tell it
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}
