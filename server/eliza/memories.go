package eliza

import (
	"encoding/binary"
	"math"
	"net/http"
	"strconv"

	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/agent/embed"
	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/plugin"
	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/server/express"
	"github.com/teapot-tee/teapot/server/tee"
)

type memoryRow struct {
	ID        string        `json:"id"`
	UserID    string        `json:"userId"`
	AgentID   string        `json:"agentId"`
	CreatedAt int64         `json:"createdAt"`
	Content   memoryContent `json:"content"`
	Embedding buffer        `json:"embedding"`
	RoomID    string        `json:"roomId"`
	Unique    int           `json:"unique"`
}

type memoryContent struct {
	Text        string              `json:"text"`
	Action      string              `json:"action,omitempty"`
	Source      string              `json:"source,omitempty"`
	InReplyTo   string              `json:"inReplyTo,omitempty"`
	Attachments []plugin.Attachment `json:"attachments"`
}

// buffer is how Node prints a Buffer.
type buffer struct {
	Type string `json:"type"`
	Data []int  `json:"data"`
}

const (
	defaultMemories = 50
	maxMemories     = 500
)

// memories answers a room's messages to whoever may read the room: the holder of the token or of the room's secret.
// Eliza gave them to anybody, and only the first one.
func (s *routes) memories(w http.ResponseWriter, r *http.Request) {
	id, room := r.PathValue("id"), r.PathValue("room")
	if !uuid.Valid(id) || !uuid.Valid(room) {
		express.Fail(w, http.StatusBadRequest, "Invalid AgentId or RoomId format. Expected to be a UUID: xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")
		return
	}
	a := s.find(w, id)
	if a == nil {
		return
	}
	if !s.reads(r, a, room) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="teapot"`)
		express.Fail(w, http.StatusUnauthorized, "a conversation is shown to the holder of the token (Authorization: Bearer …) or of the room's secret (Teapot-Room-Secret: …), which comes with the room's first answer")
		return
	}
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit")) // anything else means the default
	if limit <= 0 {
		limit = defaultMemories
	}
	items, err := a.Memory().Room(r.Context(), room, 1<<62, min(limit, maxMemories))
	if err != nil {
		s.Logger.ErrorContext(r.Context(), "memories", "error", err)
		express.Fail(w, http.StatusInternalServerError, "the memory could not be read")
		return
	}
	rows := []memoryRow{}
	for i := range items {
		rows = append(rows, memoryOf(a, items[len(items)-1-i])) // newest first, as Eliza
	}
	express.JSON(w, http.StatusOK, map[string]any{"agentId": id, "roomId": room, "memories": rows})
}

func memoryOf(a *agent.Agent, i memory.Item) memoryRow {
	m := memoryRow{
		ID: agent.MemoryID(i), UserID: i.User, AgentID: a.ID(), CreatedAt: i.At.UnixMilli(), RoomID: i.Room, Unique: 1,
		Content: memoryContent{Text: i.Text, Action: i.Action, Source: "direct", InReplyTo: i.InReplyTo, Attachments: i.Attachments},
	}
	if m.Content.Attachments == nil {
		m.Content.Attachments = []plugin.Attachment{}
	}
	m.Embedding = bytesOf(embed.Vector(i.Text))
	return m
}

// bytesOf is a float32 vector, little-endian, as Node prints it.
func bytesOf(vector []float32) buffer {
	b := buffer{Type: "Buffer", Data: make([]int, 0, 4*len(vector))}
	for _, x := range vector {
		for _, c := range binary.LittleEndian.AppendUint32(nil, math.Float32bits(x)) {
			b.Data = append(b.Data, int(c))
		}
	}
	return b
}

// reads says whether a request may read a room of an agent.
func (s *routes) reads(r *http.Request, a *agent.Agent, room string) bool {
	v := tee.Viewer(s.Token, r, room)
	return v.Owner || a.HoldsRoom(v, room)
}
