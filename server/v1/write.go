package v1

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/server/problem"
	"github.com/teapot-tee/teapot/tlog"
)

// maxBody bounds a request to append: the largest content in base64 and its wrapping.
const maxBody = actionlog.MaxContent/3*4 + 1<<20

// newEntry is the body of POST …/entries. There is no member for salt, index, time or source.
type newEntry struct {
	Type      string `json:"type"`
	Room      string `json:"room"`
	User      string `json:"user"`
	MediaType string `json:"media_type"`
	// The content, in one of three ways: text, bytes in base64, or any JSON value: a string is text, everything else is
	// logged as the exact JSON that was sent.
	Text       *string         `json:"text"`
	Data       []byte          `json:"data"`
	Content    json.RawMessage `json:"content"`
	Cause      []uint64        `json:"cause"`
	Visibility string          `json:"visibility"` // "" (by type), "public", "owner", "never"
}

func (s Logs) authorized(w http.ResponseWriter, r *http.Request) bool {
	return admit(w, s.Token.Authorized(r))
}

func admit(w http.ResponseWriter, yes bool) bool {
	if yes {
		return true
	}
	w.Header().Set("WWW-Authenticate", "Bearer")
	problem.Write(w, http.StatusUnauthorized, "not authorized", "writing to a log needs the token printed at start, or the unix socket", "send it as \"Authorization: Bearer …\"")
	return false
}

func (s Logs) append(w http.ResponseWriter, r *http.Request, l *actionlog.Log) {
	if !admit(w, s.Token.MayAct(r)) {
		return
	}
	var body newEntry
	if !decode(w, r, &body) {
		return
	}
	e, err := body.entry()
	if err != nil {
		refuse(w, err)
		return
	}
	e.IdempotencyKey = r.Header.Get("Idempotency-Key")
	proofs, err := l.Append(r.Context(), e)
	if err != nil {
		refuse(w, err)
		return
	}
	s.created(w, r, l, proofs[0])
}

func (s Logs) created(w http.ResponseWriter, r *http.Request, l *actionlog.Log, p actionlog.Proof) {
	it, err := l.Entry(r.Context(), p.Index)
	if err != nil {
		refuse(w, err)
		return
	}
	it = l.For(it, actionlog.Viewer{Owner: true})
	writeJSON(w, http.StatusCreated, entryOf(&it).prove(p.Path, p.Checkpoint))
}

func (b *newEntry) entry() (actionlog.Entry, error) {
	e := actionlog.Entry{Type: b.Type, Room: b.Room, User: b.User, MediaType: b.MediaType, Content: b.Data, Cause: b.Cause, Source: tlog.SourceCaller}
	if b.User != "" {
		e.Speaker = tlog.SpeakerClaimed
	}
	if err := b.content(&e); err != nil {
		return e, err
	}
	names := map[string]actionlog.Visibility{
		"": actionlog.VisibilityDefault, "public": actionlog.VisibilityPublic, "owner": actionlog.VisibilityOwner, "never": actionlog.VisibilityNever,
	}
	v, ok := names[b.Visibility]
	if !ok {
		return e, &actionlog.Invalid{Why: "visibility is public, owner or never"}
	}
	e.Visibility = v
	return e, nil
}

func (b *newEntry) content(e *actionlog.Entry) error {
	ways, media := 0, ""
	if b.Data != nil {
		ways++
	}
	if b.Text != nil {
		ways, media, e.Content = ways+1, "text/plain", []byte(*b.Text)
	}
	if b.Content != nil {
		var text string
		ways, media, e.Content = ways+1, "application/json", b.Content
		if json.Unmarshal(b.Content, &text) == nil && b.Content[0] == '"' {
			media, e.Content = "text/plain", []byte(text)
		}
	}
	if ways > 1 {
		return &actionlog.Invalid{Why: "text, data and content are three ways to give one content; send one of them"}
	}
	if e.MediaType == "" {
		e.MediaType = media
	}
	return nil
}

// erasure is the body of POST …/erasures.
type erasure struct {
	Targets   []uint64       `json:"targets"`
	Requester tlog.Requester `json:"requester"`
	User      string         `json:"user"`
	Reason    string         `json:"reason"`
}

func (s Logs) erase(w http.ResponseWriter, r *http.Request, l *actionlog.Log) {
	if !s.authorized(w, r) {
		return
	}
	var body erasure
	if !decode(w, r, &body) {
		return
	}
	p, err := l.Erase(r.Context(), actionlog.Erasure{Targets: body.Targets, Requester: body.Requester, User: body.User, Reason: body.Reason})
	if err != nil {
		refuse(w, err)
		return
	}
	s.created(w, r, l, p)
}

// decode reads one JSON object strictly: a member with a wrong name would be a wish silently ignored.
func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	if err == nil && dec.Decode(&struct{}{}) != io.EOF {
		err = errors.New("one JSON object, nothing behind it")
	}
	if err == nil {
		return true
	}
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		problem.Write(w, http.StatusRequestEntityTooLarge, "too large", err.Error(), "log a digest of large content")
		return false
	}
	problem.Write(w, http.StatusBadRequest, "bad request body", err.Error(), "send one JSON object with the members of docs/formats/entries.md")
	return false
}
