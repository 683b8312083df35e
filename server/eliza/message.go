package eliza

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/server/express"
	"github.com/teapot-tee/teapot/server/limit"
	"github.com/teapot-tee/teapot/tlog"
)

// ReceiptHeader names the receipt's file form.
const ReceiptHeader = "Teapot-Receipt"

// element is one of Eliza's content objects. The first carries the receipt.
type element struct {
	plugin.Content
	Receipt    json.RawMessage `json:"receipt,omitempty"`
	RoomSecret string          `json:"roomSecret,omitempty"` // hex; with a room's first message only
	RoomID     string          `json:"roomId,omitempty"`     // the room that the secret opens
}

func (s *routes) message(w http.ResponseWriter, r *http.Request) {
	segment := r.PathValue("agent")
	a, ok := s.Agents.Get(segment)
	if !ok {
		express.Text(w, http.StatusNotFound, "Agent not found")
		return
	}
	body, err := s.read(w, r)
	if err != nil {
		s.bad(w, err)
		return
	}
	in := s.heard(r, segment, body)
	if in.Text == "" {
		express.JSON(w, http.StatusOK, []element{})
		return
	}
	leave, ok := s.admit(w, r, a, in)
	if !ok {
		return
	}
	defer leave()
	if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		s.stream(w, r, a, in)
		return
	}
	out, err := a.Message(r.Context(), in)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	link(w, a, out)
	express.JSON(w, http.StatusOK, s.elements(a, out))
}

// heard is what the agent hears: who the sender claims to be, and what of it is proven.
func (s *routes) heard(r *http.Request, segment string, body said) agent.In {
	in := agent.In{
		Room: agent.RoomID(body.RoomID, segment), User: uuid.Of(orUser(body.UserID)), UserName: body.UserName,
		Text: body.Text, Attachments: body.Files, Speaker: tlog.SpeakerClaimed,
		Shared: agent.SharedRoom(body.RoomID), Given: body.RoomID, Secret: secretOf(r, body.RoomSecret),
	}
	if nameless(body.UserID) && !limit.Local(r) {
		in.Peer = limit.Client(r)
	}
	if s.Token.Authorized(r) {
		in.Speaker = tlog.SpeakerToken
	}
	return in
}

// admit lets a message in, until leave is called, or answers why not: rate, disk, work.
func (s *routes) admit(w http.ResponseWriter, r *http.Request, a *agent.Agent, in agent.In) (leave func(), ok bool) {
	trusted := in.Speaker == tlog.SpeakerToken
	if why := s.gate.refusal(r, trusted, a.ID(), in.Room+"/"+in.User, s.Now()); why != "" {
		w.Header().Set("Retry-After", "5")
		express.Fail(w, http.StatusTooManyRequests, why)
		return nil, false
	}
	if !trusted && s.Full != nil && s.Full() {
		w.Header().Set("Retry-After", "60")
		express.Fail(w, http.StatusServiceUnavailable, "the agent's disk is almost full, so nothing new is taken; the operator has to make room")
		return nil, false
	}
	if leave, ok = s.gate.enter(r); !ok {
		w.Header().Set("Retry-After", "5")
		express.Fail(w, http.StatusServiceUnavailable, "the agent is busy; try again in a few seconds")
	}
	return leave, ok
}

// orUser is Eliza's default for clients that name nobody.
func orUser(id string) string {
	if nameless(id) {
		return defaultUser
	}
	return id
}

const defaultUser = "user"

// nameless: Eliza's own clients send no user, or "user" for everybody.
func nameless(id string) bool { return id == "" || id == defaultUser }

// secretOf is what a client presents to go on in a room that is its own, in the body or the header; nil if there is none.
func secretOf(r *http.Request, body string) []byte {
	given := cmp.Or(body, r.Header.Get("Teapot-Room-Secret"))
	secret, err := hex.DecodeString(given)
	if err != nil {
		return []byte(given) // no room's
	}
	return secret
}

// bad answers a body that cannot be read. Eliza's text/html stays, its stack trace does not.
func (s *routes) bad(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if b, ok := errors.AsType[*badBody](err); ok {
		status = b.status
	}
	w.Header().Set("Connection", "close")
	express.Text(w, status, escape(err.Error()))
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

func (s *routes) failed(w http.ResponseWriter, r *http.Request, err error) {
	status, why := failure(err)
	if status == http.StatusInternalServerError {
		s.Logger.ErrorContext(r.Context(), "a message could not be handled", "error", err)
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	express.Fail(w, status, why)
}

func failure(err error) (status int, why string) {
	if large, ok := errors.AsType[*agent.TooLargeError](err); ok {
		return http.StatusRequestEntityTooLarge, large.Error()
	}
	switch {
	case errors.Is(err, agent.ErrSecret):
		return http.StatusForbidden, agent.ErrSecret.Error() + "; send the roomId that came with it, or no secret"
	case errors.Is(err, agent.ErrStopped):
		return http.StatusServiceUnavailable, "the agent is being changed; try again in a second"
	case errors.Is(err, actionlog.ErrBusy):
		return http.StatusServiceUnavailable, "the log is busy; try again in a second"
	case errors.Is(err, actionlog.ErrStopped):
		return http.StatusServiceUnavailable, "the log has stopped, so nothing is answered any more; the operator must restart the process"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, "it took too long; what was done is on the record"
	}
	return http.StatusInternalServerError, "the message could not be recorded, so it was not answered"
}

// link names the receipt's file form: of the reply, or of the message when the agent kept silent.
func link(w http.ResponseWriter, a *agent.Agent, out agent.Out) {
	w.Header().Set(ReceiptHeader, receiptURL(a, out))
}

func receiptURL(a *agent.Agent, out agent.Out) string {
	index := out.Message.Index
	if out.Reply.Leaf != nil {
		index = out.Reply.Index
	}
	return fmt.Sprintf("/v1/agents/%s/receipts/%d", a.ID(), index)
}

func (s *routes) elements(a *agent.Agent, out agent.Out) []element {
	list := make([]element, 0, len(out.Contents))
	for i, c := range out.Contents {
		e := element{Content: c}
		if i == 0 {
			e.Receipt = out.Receipt
			if out.FirstOfRoom {
				e.RoomSecret, e.RoomID = hex.EncodeToString(a.RoomSecret(out.Room)), out.Room
			}
		}
		list = append(list, e)
	}
	return list
}

// stream answers server-sent events: "delta" pieces of the text, then "done" with the elements and the receipt's address.
func (s *routes) stream(w http.ResponseWriter, r *http.Request, a *agent.Agent, in agent.In) {
	flush := http.NewResponseController(w)
	begun := false
	send := func(name string, v any) {
		if !begun {
			w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("X-Accel-Buffering", "no")
			begun = true
		}
		data, err := express.Encode(v)
		if err != nil {
			return
		}
		fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, data)
		_ = flush.Flush() // a writer that cannot flush sends at the end
	}
	in.Stream = func(piece string) { send("delta", map[string]string{"text": piece}) }
	out, err := a.Message(r.Context(), in)
	if err != nil {
		if !begun {
			s.failed(w, r, err)
			return
		}
		status, why := failure(err)
		send("error", map[string]any{"status": status, "error": why})
		return
	}
	if !begun {
		link(w, a, out)
	}
	send("done", map[string]any{"contents": s.elements(a, out), "receipt": receiptURL(a, out)})
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
