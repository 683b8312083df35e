package v1

import (
	"net/http"
	"strconv"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/tlog"
)

func (s Logs) checkpoint(w http.ResponseWriter, _ *http.Request, l *actionlog.Log) {
	note := l.Checkpoint()
	if note == nil {
		refuse(w, actionlog.ErrNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(note)
}

// tile serves C2SP tlog-tiles. Tiles never change, partial ones neither.
func (s Logs) tile(w http.ResponseWriter, r *http.Request, l *actionlog.Log) {
	t, err := tlog.ParseTilePath("tile/" + r.PathValue("path"))
	if err != nil {
		badParameter(w, err.Error())
		return
	}
	b, err := l.Tile(t)
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(b)
}

// consistency is the answer of GET …/proof.
type consistency struct {
	From  uint64   `json:"from"`
	To    uint64   `json:"to"`
	Proof [][]byte `json:"proof"` // base64, in the order of RFC 9162 section 2.1.4
}

func (s Logs) proof(w http.ResponseWriter, r *http.Request, l *actionlog.Log) {
	p := params{Values: r.URL.Query()}
	from, to := p.number("from"), p.number("to")
	if to == 0 {
		to = l.Size()
	}
	if p.bad == "" && (from == 0 || from > to) {
		p.fail("from", "a size from 1 to the parameter to; from size 0 nothing is proven")
	}
	if p.bad != "" {
		badParameter(w, p.bad)
		return
	}
	hashes, err := l.ConsistencyProof(from, to)
	if err != nil {
		refuse(w, err)
		return
	}
	answer := consistency{from, to, [][]byte{}}
	for _, h := range hashes {
		answer.Proof = append(answer.Proof, h[:])
	}
	writeJSON(w, http.StatusOK, answer)
}

// page is the answer of GET …/entries.
type page struct {
	Size    uint64   `json:"size"`
	Total   *uint64  `json:"total,omitempty"`
	Next    string   `json:"next,omitempty"`
	More    bool     `json:"more,omitempty"` // a walk along causes was cut
	Entries []*Entry `json:"entries"`
}

func (s Logs) entries(w http.ResponseWriter, r *http.Request, l *actionlog.Log) {
	v := s.viewer(r)
	if !s.mayName(w, r, l, v) {
		return
	}
	p := params{Values: r.URL.Query()}
	q := actionlog.Query{
		From: p.number("from"), To: p.number("to"), Types: p.types(), Room: p.Get("room"), User: p.Get("user"),
		RoomName: p.pseudonym("room_pseudonym"), UserName: p.pseudonym("user_pseudonym"), Since: p.time("since"), Until: p.time("until"),
		Text: p.Get("text"), Newest: p.oneOf("order", "", "asc", "desc") == "desc", Limit: int(p.number("limit")), Cursor: p.Get("cursor"),
		Count: p.Get("count") != "", Viewer: v,
	}
	q.Limit = min(q.Limit, 1000)
	if q.Text != "" && q.Count && !v.Owner {
		p.fail("count", "no text beside it, or the token: counting matches opens every content")
	}
	if p.bad != "" {
		badParameter(w, p.bad)
		return
	}
	found, err := l.Query(r.Context(), q)
	if err != nil {
		refuse(w, err)
		return
	}
	answer := page{Size: found.Size, Next: found.Next, Entries: list(found.Items)}
	if q.Count {
		answer.Total = &found.Total
	}
	writeJSON(w, http.StatusOK, answer)
}

func list(items []actionlog.Item) []*Entry {
	out := make([]*Entry, 0, len(items))
	for i := range items {
		out = append(out, entryOf(&items[i]))
	}
	return out
}

// index reads the path's entry index and answers if it is none.
func index(w http.ResponseWriter, r *http.Request) (uint64, bool) {
	i, err := strconv.ParseUint(r.PathValue("index"), 10, 53)
	if err != nil {
		badParameter(w, "the index is not a plain number")
	}
	return i, err == nil
}

func (s Logs) entry(w http.ResponseWriter, r *http.Request, l *actionlog.Log) {
	i, ok := index(w, r)
	if !ok {
		return
	}
	it, err := l.Entry(r.Context(), i)
	if err != nil {
		refuse(w, err)
		return
	}
	proof, err := l.Prove(i)
	if err != nil {
		refuse(w, err)
		return
	}
	shown := l.For(it, s.viewer(r))
	e := entryOf(&shown).prove(proof.Path, proof.Checkpoint)
	if it.Leaf.Start != nil {
		e.Boot = &Boot{it.Statement, it.Part, it.Evidence}
	}
	writeJSON(w, http.StatusOK, e)
}

func (s Logs) causes(w http.ResponseWriter, r *http.Request, l *actionlog.Log) {
	i, ok := index(w, r)
	if !ok {
		return
	}
	items, more, err := l.Causes(r.Context(), i, pageLimit(r), s.viewer(r))
	s.walk(w, l, items, more, err)
}

func (s Logs) effects(w http.ResponseWriter, r *http.Request, l *actionlog.Log) {
	i, ok := index(w, r)
	if !ok {
		return
	}
	items, more, err := l.Effects(r.Context(), i, pageLimit(r), s.viewer(r))
	s.walk(w, l, items, more, err)
}

func pageLimit(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil {
		return 0
	}
	return n
}

func (s Logs) walk(w http.ResponseWriter, l *actionlog.Log, items []actionlog.Item, more bool, err error) {
	if err != nil {
		refuse(w, err)
		return
	}
	writeJSON(w, http.StatusOK, page{Size: l.Size(), More: more, Entries: list(items)})
}

func (s Logs) stats(w http.ResponseWriter, _ *http.Request, l *actionlog.Log) {
	writeJSON(w, http.StatusOK, l.Stats())
}
