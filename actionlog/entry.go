package actionlog

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/teapot-tee/teapot/tlog"
)

// Entry is one thing that happened. The caller chooses neither salt, index, time nor number.
type Entry struct {
	Type           string       // "message", "reply", "model", "action" …; from callers only app/<name>, intent, result
	Room, User     string       // real ids; the leaf names them by pseudonym
	Speaker        tlog.Speaker // how User was established
	Source         tlog.Source  // which part of Teapot speaks; SourceCaller limits Type
	MediaType      string       // "" with content: application/octet-stream
	Content        []byte       // at most MaxContent bytes
	Cause          []uint64     // indices of the entries that led to this one, at most 64
	Visibility     Visibility   // zero: what the type has by default
	IdempotencyKey string       // a second Append with the same key answers with the first one's proof
}

// Limits of an entry.
const (
	MaxContent = 16 << 20
	MaxID      = tlog.MaxName // bytes of a room or user id and of an idempotency key
)

// Visibility says who may see an entry's content.
type Visibility uint8

// Visibilities. The zero value stands for the type's default: actions, intents, results and policies are public,
// everything else is for the owner.
const (
	VisibilityDefault Visibility = iota
	VisibilityOwner
	VisibilityPublic
	VisibilityNever
)

func (v Visibility) of(entryType string) (tlog.Visibility, error) {
	switch v {
	case VisibilityDefault:
		return defaultVisibility(entryType), nil
	case VisibilityOwner:
		return tlog.VisibleOwner, nil
	case VisibilityPublic:
		return tlog.VisiblePublic, nil
	case VisibilityNever:
		return tlog.VisibleNever, nil
	}
	return 0, invalid("unknown visibility %d", v)
}

func defaultVisibility(entryType string) tlog.Visibility {
	switch entryType {
	case "action", tlog.TypeIntent, tlog.TypeResult, tlog.TypePolicy:
		return tlog.VisiblePublic
	}
	return tlog.VisibleOwner
}

// Invalid is an entry that cannot be logged; its text says why. Nothing was written.
type Invalid struct{ Why string }

func (i *Invalid) Error() string { return "invalid entry: " + i.Why }

func invalid(format string, a ...any) error { return &Invalid{fmt.Sprintf(format, a...)} }

// pending is one entry on its way: what could be done without its index is done.
type pending struct {
	leaf     tlog.Leaf
	addendum []byte
	stored   stored
	bytes    []byte // the signed leaf
	hash     tlog.Hash
	ids      []byte // real ids of a public entry, sealed beside the addendum but not part of it
}

// prepare checks an entry and makes its addendum and commitment, in the caller's goroutine.
func (l *Log) prepare(e *Entry) (*pending, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	p := &pending{leaf: tlog.Leaf{
		Type: e.Type, Speaker: e.Speaker, Source: e.Source,
		Room: tlog.RoomPseudonym(l.privacy[:], e.Room), User: tlog.UserPseudonym(l.privacy[:], e.User),
	}}
	p.leaf.Cause = slices.Compact(slices.Sorted(slices.Values(e.Cause)))
	if e.IdempotencyKey != "" {
		p.stored.form |= withIdem
		p.stored.idem, p.stored.request = l.idempotencyTag(e.IdempotencyKey), l.requestDigest(e)
	}
	return p, p.commitContent(e)
}

func (p *pending) commitContent(e *Entry) error {
	if len(e.Content) == 0 && e.Room == "" && e.User == "" {
		return nil
	}
	visible, err := e.Visibility.of(e.Type)
	if err != nil {
		return err
	}
	part := tlog.Disclosed{Room: e.Room, User: e.User, Content: e.Content}
	if visible == tlog.VisiblePublic { // everybody gets this addendum, and people are named to nobody
		if p.ids, err = (&tlog.Disclosed{Room: e.Room, User: e.User}).Append(nil); err != nil {
			return &Invalid{err.Error()}
		}
		part.Room, part.User = "", ""
	}
	if p.addendum, err = tlog.NewAddendum(rand.Reader, nil); err != nil {
		return err
	}
	p.addendum = slices.Grow(p.addendum, 24+len(e.Room)+len(e.User)+len(e.Content))
	if p.addendum, err = part.Append(p.addendum); err != nil {
		return &Invalid{err.Error()}
	}
	media := e.MediaType
	if media == "" {
		media = "application/octet-stream"
	}
	p.stored.form |= contentSealed
	p.leaf.Content = tlog.Content{Commitment: tlog.Commit(p.addendum), MediaType: media, SizeClass: tlog.SizeClass(len(p.addendum) - tlog.SaltSize), Visibility: visible}
	return nil
}

func (e *Entry) check() error {
	switch {
	case !tlog.ValidType(e.Type):
		return invalid("type %.80q: want one word of a-z 0-9 . _ -, or app/ and such a word", e.Type)
	case e.Type == tlog.TypeBoot || e.Type == tlog.TypeErasure:
		return invalid("type %q is written by Teapot itself", e.Type)
	case e.Source == tlog.SourceCaller && !CallersMayWrite(e.Type):
		return invalid("type %q: callers write app/<name>, intent and result", e.Type)
	case e.Source > tlog.SourcePlugin || e.Speaker > tlog.SpeakerToken:
		return invalid("unknown source or speaker")
	case len(e.Content) > MaxContent:
		return invalid("content of %d bytes, the limit is %d", len(e.Content), MaxContent)
	case len(e.Room) > MaxID || len(e.User) > MaxID || len(e.IdempotencyKey) > MaxID:
		return invalid("room, user or idempotency key longer than %d bytes", MaxID)
	case !utf8.ValidString(e.Room) || !utf8.ValidString(e.User):
		return invalid("room or user is not UTF-8")
	case len(e.Cause) > tlog.MaxCause:
		return invalid("%d causes, the limit is %d", len(e.Cause), tlog.MaxCause)
	}
	return nil
}

// namesIntent refuses a result that no intent led to: an auditor would take it for the work of other code.
func (l *Log) namesIntent(cause []uint64) error {
	c := newCursor(l)
	for _, i := range cause {
		it, _, err := c.bare(i)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err == nil && it.Leaf.Type == tlog.TypeIntent {
			return nil
		}
	}
	return invalid("a result names the intent it belongs to among its causes")
}

// CallersMayWrite says whether a process outside may write entries of this type.
func CallersMayWrite(entryType string) bool {
	return strings.HasPrefix(entryType, tlog.AppPrefix) || entryType == tlog.TypeIntent || entryType == tlog.TypeResult
}

func (l *Log) idempotencyTag(key string) [16]byte {
	return [16]byte(l.mac("teapot/idempotency/v1", []byte(key))[:16])
}

// requestDigest tells a retry from another entry under the same key.
func (l *Log) requestDigest(e *Entry) [16]byte {
	h := sha256.New()
	for _, f := range [][]byte{[]byte(e.Type), []byte(e.Room), []byte(e.User), []byte(e.MediaType), e.Content} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(f))))
		h.Write(f)
	}
	for _, c := range e.Cause {
		h.Write(binary.BigEndian.AppendUint64(nil, c))
	}
	return [16]byte(l.mac("teapot/idempotent-request/v1", h.Sum(nil))[:16])
}

func (l *Log) mac(label string, data []byte) []byte {
	m := hmac.New(sha256.New, l.privacy[:])
	m.Write([]byte(label))
	m.Write([]byte{0})
	m.Write(data)
	return m.Sum(nil)
}
