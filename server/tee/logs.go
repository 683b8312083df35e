package tee

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/record"
	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/server/express"
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
		AgentID         *string `json:"agentId,omitempty"`
		RoomID          *string `json:"roomId,omitempty"`
		UserID          *string `json:"userId,omitempty"`
		Type            *string `json:"type,omitempty"`
		ContainsContent *string `json:"containsContent,omitempty"`
		Start           any     `json:"startTimestamp,omitempty"`
		End             any     `json:"endTimestamp,omitempty"`
	} `json:"query"`
	Page     any    `json:"page"`
	PageSize any    `json:"pageSize"`
	Nonce    string `json:"nonce"` // hex; Teapot's own: asks for an extract
}

const (
	defaultPage = 10
	maxPage     = 1000
	maxDepth    = 10000 // page × pageSize; beyond it /v1 has cursors
)

func (s *routes) logs(w http.ResponseWriter, r *http.Request) {
	const failure = "Failed to get TEE logs"
	body, ok := s.body(w, r)
	if !ok {
		return
	}
	var q teeQuery
	if err := json.Unmarshal(body, &q); err != nil && len(body) > 0 {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && strings.HasPrefix(wrong.Field, "query.") {
			express.Fail(w, http.StatusInternalServerError, failure+": "+wrong.Field+" must be a text")
			return
		}
		w.Header().Set("Connection", "close")
		express.Text(w, http.StatusBadRequest, "the body is no JSON object of the form {query, page, pageSize}")
		return
	}
	agents := s.asked(deref(q.Query.AgentID))
	nonce, ok := s.nonce(w, cmp.Or(q.Nonce, r.URL.Query().Get("nonce")), len(agents) == 1, "query.agentId")
	if !ok {
		return
	}
	viewer := Viewer(s.Token, r, deref(q.Query.RoomID))
	if !viewer.Owner && len(viewer.Rooms) == 0 && (real(q.Query.RoomID) || real(q.Query.UserID)) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="teapot"`)
		express.Fail(w, http.StatusUnauthorized, "asking by a real room or user id needs the token (Authorization: Bearer …) or the room's secret (Teapot-Room-Secret: …): the answer would tell strangers who talked here; pseudonyms from the rows are open to anybody")
		return
	}
	leave, ok := s.enter(r.Context(), deref(q.Query.ContainsContent) != "" && !viewer.Owner)
	if !ok {
		return // the client is gone
	}
	page, proven, err := s.search(r.Context(), agents, q, viewer)
	leave()
	if err != nil {
		s.Logger.ErrorContext(r.Context(), "tee logs", "error", err)
		express.Fail(w, http.StatusInternalServerError, failure)
		return
	}
	s.answer(w, r, reply{name: "logs", value: page, proofs: proven, nonce: nonce, query: q.answered(page), failure: failure})
}

// asked are the agents a query is about.
func (s *routes) asked(id string) []Agent {
	return slices.DeleteFunc(s.Agents(), func(a Agent) bool { return id != "" && a.ID != id })
}

// answered is the query as it was answered, for the extract: the filters that were given and the page that it became.
func (q teeQuery) answered(page logPage) string {
	b, err := express.Encode(map[string]any{"query": q.Query, "page": page.Page, "pageSize": page.PageSize})
	if err != nil {
		return "" // it came from JSON
	}
	return "POST /tee/logs " + string(b)
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

// number is JavaScript's parseInt(v) || fallback, within a billion: what is counted with it must not wrap around.
func number(v any, fallback int) int {
	const most = 1_000_000_000
	var n int
	switch v := v.(type) {
	case float64:
		n = int(max(-most, min(most, v)))
	case string:
		n, _ = strconv.Atoi(strings.TrimSpace(v)) // beyond int: its end; anything else is the fallback
		n = max(-most, min(most, n))
	}
	if n == 0 {
		return fallback
	}
	return n
}

func (s *routes) search(ctx context.Context, agents []Agent, q teeQuery, v actionlog.Viewer) (logPage, []proofs, error) {
	page := logPage{Page: max(1, number(q.Page, 1)), PageSize: number(q.PageSize, defaultPage), Data: []logRow{}}
	if page.PageSize < 1 {
		page.PageSize = defaultPage
	}
	page.PageSize = min(page.PageSize, maxPage)
	query, some := q.filters(v)
	skip := (page.Page - 1) * page.PageSize
	var found []logRow
	if some && page.Page*page.PageSize <= maxDepth {
		query.Limit, query.Count = page.PageSize, true
		if len(agents) == 1 {
			query.Skip = skip
		} else {
			query.Limit = skip + page.PageSize
		}
		for _, a := range agents {
			hits, total, err := matches(ctx, a, query, q, v)
			if err != nil {
				return page, nil, err
			}
			found, page.Total = append(found, hits...), page.Total+total
		}
	}
	if len(agents) > 1 {
		slices.SortStableFunc(found, func(a, b logRow) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
		found = found[min(skip, len(found)):min(skip+page.PageSize, len(found))]
	}
	page.Data = append(page.Data, found...)
	proven, err := proveRows(agents, found)
	return page, proven, err
}

// proveRows proves each agent's rows; an agent without any has a checkpoint as well.
func proveRows(agents []Agent, rows []logRow) ([]proofs, error) {
	proven := []proofs{}
	for _, a := range agents {
		var indices []uint64
		for _, row := range rows {
			if row.AgentID == a.ID {
				indices = append(indices, row.Index)
			}
		}
		p, err := prove(a, indices, false)
		if err != nil {
			return nil, err
		}
		proven = append(proven, p)
	}
	return proven, nil
}

// matches asks one agent's log.
func matches(ctx context.Context, a Agent, query actionlog.Query, q teeQuery, v actionlog.Viewer) (rows []logRow, total uint64, err error) {
	query.Viewer.Rooms = slices.DeleteFunc(slices.Clone(v.Rooms), func(p actionlog.RoomPass) bool { return !a.Log.HoldsRoom(v, p.Room) })
	inside := real(q.Query.RoomID) && len(query.Viewer.Rooms) > 0
	if !v.Owner && !inside && (real(q.Query.RoomID) || real(q.Query.UserID)) {
		return nil, 0, nil // no secret, or not of this agent's room: the answer must not tell whether a real id is right
	}
	found, err := a.Log.Query(ctx, query)
	for _, item := range found.Items {
		rows = append(rows, rowOf(a.ID, item))
	}
	return rows, found.Total, err
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

func rowOf(agent string, i actionlog.Item) logRow {
	r := logRow{
		ID: uuid.FromBytes([16]byte(i.Hash[:16])), AgentID: agent, RoomID: i.Leaf.Room.String(), UserID: i.Leaf.User.String(),
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
