package eliza

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/record"
	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/tlog"
)

// logRow is a row of Eliza's table tee_logs. Signature is the COSE signature of the leaf, which covers everything; Leaf and
// Index let a reader check it, which Eliza's rows did not.
type logRow struct {
	ID        string `json:"id"`
	AgentID   string `json:"agentId"`
	RoomID    string `json:"roomId"`
	UserID    string `json:"userId"`
	Type      string `json:"type"`
	Content   string `json:"content"`
	Timestamp int64  `json:"timestamp"`
	Signature string `json:"signature"`
	Withheld  bool   `json:"withheld,omitempty"`
	Erased    bool   `json:"erased,omitempty"`
	Index     uint64 `json:"index"`
	Leaf      []byte `json:"leaf"`
}

type logPage struct {
	Page     int      `json:"page"`
	PageSize int      `json:"pageSize"`
	Total    uint64   `json:"total"`
	Data     []logRow `json:"data"`
}

// teeQuery is the body of POST /tee/logs.
type teeQuery struct {
	Query struct {
		AgentID         *string `json:"agentId"`
		RoomID          *string `json:"roomId"`
		UserID          *string `json:"userId"`
		Type            *string `json:"type"`
		ContainsContent *string `json:"containsContent"`
		Start           any     `json:"startTimestamp"`
		End             any     `json:"endTimestamp"`
	} `json:"query"`
	Page     any `json:"page"`
	PageSize any `json:"pageSize"`
}

const (
	defaultPage = 10
	maxPage     = 1000
	maxDepth    = 10000 // page × pageSize; beyond it /v1 has cursors
)

func (s *routes) teeLogs(w http.ResponseWriter, r *http.Request) {
	const failure = "Failed to get TEE logs"
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.gate.Body))
	if err != nil {
		fail(w, tooLarge(err), "the body is too large or broke off")
		return
	}
	var q teeQuery
	if err := json.Unmarshal(body, &q); err != nil && len(body) > 0 {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && strings.HasPrefix(wrong.Field, "query.") {
			fail(w, http.StatusInternalServerError, failure+": "+wrong.Field+" must be a text")
			return
		}
		s.bad(w, errors.New("the body is no JSON object of the form {query, page, pageSize}"))
		return
	}
	viewer := s.viewer(r, deref(q.Query.RoomID))
	if !viewer.Owner && len(viewer.Rooms) == 0 && (real(q.Query.RoomID) || real(q.Query.UserID)) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="teapot"`)
		fail(w, http.StatusUnauthorized, "asking by a real room or user id needs the token (Authorization: Bearer …) or the room's secret (Teapot-Room-Secret: …): the answer would tell strangers who talked here; pseudonyms from the rows are open to anybody")
		return
	}
	page, err := s.search(r.Context(), q, viewer)
	if err != nil {
		s.Logger.ErrorContext(r.Context(), "tee logs", "error", err)
		fail(w, http.StatusInternalServerError, failure)
		return
	}
	s.attested(w, r, "logs", page, failure)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// real says that a filter is given and no pseudonym.
func real(filter *string) bool {
	if deref(filter) == "" {
		return false
	}
	_, err := tlog.ParsePseudonym(*filter)
	return err != nil
}

// viewer is who asks: the holder of the token, or of a room's secret.
func (s *routes) viewer(r *http.Request, room string) actionlog.Viewer {
	v := actionlog.Viewer{Owner: s.Token.Authorized(r)}
	if secret := roomSecret(r); len(secret) > 0 && room != "" {
		v.Rooms = []actionlog.RoomPass{{Room: room, Secret: secret}}
	}
	return v
}

// reads says whether a request may read a room of an agent.
func (s *routes) reads(r *http.Request, a *agent.Agent, room string) bool {
	v := s.viewer(r, room)
	return v.Owner || a.HoldsRoom(v, room)
}

// number is JavaScript's parseInt(v) || fallback.
func number(v any, fallback int) int {
	var n int
	switch v := v.(type) {
	case float64:
		n = int(max(-1e9, min(1e9, v)))
	case string:
		n, _ = strconv.Atoi(strings.TrimSpace(v)) // anything else is the fallback
	}
	if n == 0 {
		return fallback
	}
	return n
}

func (s *routes) search(ctx context.Context, q teeQuery, v actionlog.Viewer) (logPage, error) {
	page := logPage{Page: max(1, number(q.Page, 1)), PageSize: number(q.PageSize, defaultPage), Data: []logRow{}}
	if page.PageSize < 1 {
		page.PageSize = defaultPage
	}
	page.PageSize = min(page.PageSize, maxPage)
	query, some := q.filters(v)
	if !some || page.Page*page.PageSize > maxDepth {
		return page, nil
	}
	agents := s.Agents.All()
	if id := deref(q.Query.AgentID); id != "" {
		agents = slices.DeleteFunc(agents, func(a *agent.Agent) bool { return a.ID() != id })
	}
	skip := (page.Page - 1) * page.PageSize
	query.Limit, query.Count = page.PageSize, true
	if len(agents) == 1 {
		query.Skip = skip
	} else {
		query.Limit = skip + page.PageSize
	}
	for _, a := range agents {
		query := query
		query.Viewer.Rooms = slices.DeleteFunc(slices.Clone(v.Rooms), func(p actionlog.RoomPass) bool { return !a.HoldsRoom(v, p.Room) })
		if !v.Owner && len(v.Rooms) > 0 && len(query.Viewer.Rooms) == 0 && real(q.Query.RoomID) {
			continue // the secret is not of this agent's room
		}
		found, err := a.Log().Query(ctx, query)
		if err != nil {
			return page, err
		}
		page.Total += found.Total
		for _, item := range found.Items {
			page.Data = append(page.Data, rowOf(a, item))
		}
	}
	if len(agents) > 1 {
		slices.SortStableFunc(page.Data, func(a, b logRow) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
		page.Data = page.Data[min(skip, len(page.Data)):min(skip+page.PageSize, len(page.Data))]
	}
	return page, nil
}

// filters turns Eliza's filters into the log's. some is false when nothing can match.
func (q teeQuery) filters(v actionlog.Viewer) (out actionlog.Query, some bool) {
	out = actionlog.Query{Viewer: v, Text: deref(q.Query.ContainsContent), Wildcards: true}
	if t := deref(q.Query.Type); t != "" {
		out.Types = []string{t}
	}
	out.Room, out.RoomName = id(q.Query.RoomID)
	out.User, out.UserName = id(q.Query.UserID)
	since, ok := millis(q.Query.Start)
	if q.Query.Start != nil && !ok {
		return out, false // SQLite holds every text to be greater than every number
	}
	if ok {
		out.Since = since
	}
	if until, ok := millis(q.Query.End); ok {
		out.Until = until.Add(time.Millisecond) // Eliza's end belongs to the range
	}
	return out, true
}

func id(filter *string) (string, tlog.Pseudonym) {
	if p, err := tlog.ParsePseudonym(deref(filter)); err == nil {
		return "", p
	}
	return deref(filter), tlog.Pseudonym{}
}

// millis reads a time in milliseconds: a number, or a text that is one.
func millis(v any) (time.Time, bool) {
	switch v := v.(type) {
	case float64:
		return time.UnixMilli(int64(max(0, min(1<<53, v)))), true
	case string:
		if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 53); err == nil && n >= 0 {
			return time.UnixMilli(n), true
		}
	}
	return time.Time{}, false
}

func rowOf(a *agent.Agent, i actionlog.Item) logRow {
	r := logRow{
		ID: uuid.FromBytes([16]byte(i.Hash[:16])), AgentID: a.ID(), RoomID: i.Leaf.Room.String(), UserID: i.Leaf.User.String(),
		Type: i.Leaf.Type, Timestamp: time.UnixMicro(int64(i.Leaf.Time)).UnixMilli(),
		Signature: "0x" + hex.EncodeToString(i.Leaf.Sig[:]), Index: i.Index, Leaf: i.Raw,
	}
	switch i.State {
	case actionlog.ContentWithheld:
		r.Withheld = true
	case actionlog.ContentErased:
		r.Erased = true
	case actionlog.ContentShown:
		r.Content = shownText(i)
		if i.Content.Room != "" {
			r.RoomID = i.Content.Room
		}
		if i.Content.User != "" {
			r.UserID = i.Content.User
		}
	}
	return r
}

// shownText is the text of a message or reply, and the content as it is of everything else.
func shownText(i actionlog.Item) string {
	if i.Leaf.Type == record.Message || i.Leaf.Type == record.Reply {
		if b, err := memory.Decode(i.Leaf.Content.MediaType, i.Content.Content); err == nil {
			return b.Text
		}
	}
	return strings.ToValidUTF8(string(i.Content.Content), "\ufffd")
}
