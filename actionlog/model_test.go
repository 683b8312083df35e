package actionlog_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/actionlog/disk/disktest"
	"github.com/teapot-tee/teapot/tlog"
)

// model is the naive log: a list of what was acknowledged, and nothing else.
type model struct {
	disk    *disktest.Disk
	store   *actionlog.Store
	log     *actionlog.Log
	entries []modelEntry
	roots   map[uint64]tlog.Hash
	starts  int
}

type modelEntry struct {
	typ, room, content string
	leaf               []byte
	erased             bool
	boot               bool
}

func (m *model) start(t *rapid.T) {
	var err error
	if m.store, err = actionlog.Open(memoryOptions(m.disk)); err != nil {
		t.Fatal(err)
	}
	if m.log, err = m.store.OpenLog(logOptions(agentID)); err != nil {
		t.Fatal(err)
	}
	if f := m.log.Found(); f.Size != uint64(len(m.entries)) || f.BootNumber != uint64(m.starts) {
		t.Fatalf("found %d entries and start %d, want %d and %d", f.Size, f.BootNumber, len(m.entries), m.starts)
	}
	p, err := m.log.Boot(context.Background(), bootOf(m.starts%100))
	if err != nil {
		t.Fatal(err)
	}
	m.starts++
	m.took(t, modelEntry{typ: "boot", boot: true}, p)
}

func (m *model) took(t *rapid.T, e modelEntry, p actionlog.Proof) {
	if p.Index != uint64(len(m.entries)) {
		t.Fatalf("entry %d was acknowledged as %d", len(m.entries), p.Index)
	}
	c, err := tlog.ParseCheckpoint(p.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.VerifyInclusion(tlog.RecordHash(p.Leaf), p.Index, c.Size, p.Path, c.Root); err != nil {
		t.Fatal(err)
	}
	e.leaf = p.Leaf
	m.entries = append(m.entries, e)
	m.roots[c.Size] = c.Root
}

func (m *model) add(t *rapid.T) {
	n := rapid.IntRange(1, 5).Draw(t, "entries")
	var batch []actionlog.Entry
	var want []modelEntry
	for range n {
		w := modelEntry{
			typ: rapid.SampledFrom([]string{"message", "reply", "note"}).Draw(t, "type"), room: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "room"),
			content: rapid.SampledFrom([]string{"", "x", "Hello World", strings.Repeat("long ", 9000)}).Draw(t, "content"),
		}
		batch = append(batch, actionlog.Entry{Type: w.typ, Room: w.room, Source: tlog.SourceRuntime, Content: []byte(w.content)})
		want = append(want, w)
	}
	ps, err := m.log.Append(context.Background(), batch...)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range ps {
		m.took(t, want[i], p)
	}
}

func (m *model) erase(t *rapid.T) {
	i := rapid.IntRange(0, len(m.entries)-1).Draw(t, "target")
	e := &m.entries[i]
	p, err := m.log.Erase(context.Background(), actionlog.Erasure{Targets: []uint64{uint64(i)}, Requester: tlog.RequesterOperator, Reason: "model"})
	can := !e.boot && !e.erased && tlog.Erasable(e.typ) && (e.content != "" || e.room != "")
	if can != (err == nil) {
		t.Fatalf("erasing entry %d %+v: %v", i, *e, err)
	}
	if err == nil {
		e.erased = true
		m.took(t, modelEntry{typ: "erasure"}, p)
	}
}

func (m *model) restart(t *rapid.T) {
	if err := m.store.Close(); err != nil {
		t.Fatal(err)
	}
	m.start(t)
}

// crash cuts the power between two operations: everything acknowledged was synced.
func (m *model) crash(t *rapid.T) {
	seed := rapid.Uint64().Draw(t, "seed")
	after := m.disk.Crash(rand.New(rand.NewPCG(seed, 1)))
	m.store.Close()
	m.disk = after
	m.start(t)
}

func (m *model) query(t *rapid.T) {
	q := actionlog.Query{
		Types: rapid.SampledFrom([][]string{nil, {"message"}, {"reply", "note"}, {"boot"}}).Draw(t, "types"), Room: rapid.SampledFrom([]string{"", "a"}).Draw(t, "in"),
		Text: rapid.SampledFrom([]string{"", "o w", "LONG"}).Draw(t, "text"), Newest: rapid.Bool().Draw(t, "newest"), Limit: rapid.IntRange(1, 4).Draw(t, "limit"),
		From: uint64(rapid.IntRange(0, len(m.entries)).Draw(t, "from")), Count: true, Viewer: actionlog.Viewer{Owner: true},
	}
	var want, got []uint64
	for i := range m.entries {
		if m.matches(q, i) {
			want = append(want, uint64(i))
		}
	}
	if q.Newest {
		for a, b := 0, len(want)-1; a < b; a, b = a+1, b-1 {
			want[a], want[b] = want[b], want[a]
		}
	}
	for first := true; first || q.Cursor != ""; first = false {
		p, err := m.log.Query(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		if first && p.Total != uint64(len(want)) {
			t.Fatalf("%d entries match, the log says %d: %+v", len(want), p.Total, q)
		}
		for _, it := range p.Items {
			got = append(got, it.Index)
			m.same(t, &it)
		}
		q.Cursor = p.Next
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("query %+v\n got %v\nwant %v", q, got, want)
	}
}

func (m *model) matches(q actionlog.Query, i int) bool {
	e := &m.entries[i]
	ok := uint64(i) >= q.From && (q.Room == "" || e.room == q.Room)
	if len(q.Types) > 0 {
		ok = ok && strings.Contains(" "+strings.Join(q.Types, " ")+" ", " "+e.typ+" ")
	}
	if q.Text != "" {
		ok = ok && !e.erased && strings.Contains(strings.ToLower(e.content), strings.ToLower(q.Text))
	}
	return ok
}

func (m *model) same(t *rapid.T, it *actionlog.Item) {
	e := &m.entries[it.Index]
	if !bytes.Equal(it.Raw, e.leaf) {
		t.Fatalf("entry %d is another one", it.Index)
	}
	switch {
	case e.erased && it.State != actionlog.ContentErased, !e.erased && it.State == actionlog.ContentErased:
		t.Fatalf("entry %d is %s, erased: %v", it.Index, it.State, e.erased)
	case it.State == actionlog.ContentShown && (string(it.Content.Content) != e.content || it.Content.Room != e.room):
		t.Fatalf("entry %d has another content", it.Index)
	}
}

// check compares the whole log, and every root that was ever signed.
func (m *model) check(t *rapid.T) {
	if m.log.Size() != uint64(len(m.entries)) {
		t.Fatalf("size %d, want %d", m.log.Size(), len(m.entries))
	}
	for size, root := range m.roots {
		if got, err := m.log.Root(size); err != nil || got != root {
			t.Fatalf("the root of size %d is not the one that was signed (%v)", size, err)
		}
	}
	i := rapid.IntRange(0, len(m.entries)-1).Draw(t, "look at")
	it, err := m.log.Entry(context.Background(), uint64(i))
	if err != nil {
		t.Fatal(err)
	}
	m.same(t, &it)
}

// TestModel drives the log and a naive list side by side: append, query, erase, restart, power failure, in any order.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{disk: disktest.New(), roots: map[uint64]tlog.Hash{}}
		m.start(t)
		defer func() { m.store.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"append": m.add, "append more": m.add, "query": m.query, "erase": m.erase, "restart": m.restart, "crash": m.crash, "": m.check,
		})
	})
}
