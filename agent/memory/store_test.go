package memory_test

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"go.uber.org/goleak"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent/agenttest"
	"github.com/teapot-tee/teapot/agent/embed"
	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/record"
	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/tlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var room, user = uuid.Of("r"), uuid.Of("u")

// desk is a log with a memory beside it.
type desk struct {
	log   *actionlog.Log
	path  string
	rooms int // kept in the process; 0: as usual
	*memory.Store
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	p := agenttest.NewPlace(t, t.TempDir())
	d := &desk{log: p.Log(t, uuid.Of("agent")), path: filepath.Join(p.Dir, "m.db")}
	d.open(t)
	t.Cleanup(func() { d.Close(); p.Store.Close() })
	return d
}

func (d *desk) open(t *testing.T) {
	t.Helper()
	s, err := memory.Open(t.Context(), memory.Options{Path: d.path, Key: [32]byte{5}, Log: d.log, Rooms: d.rooms})
	if err != nil {
		t.Fatal(err)
	}
	d.Store = s
}

func (d *desk) reopen(t *testing.T) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d.open(t)
}

func (d *desk) say(t *testing.T, kind, text string) uint64 {
	t.Helper()
	b := memory.Body{Text: text}
	if kind == record.Memory {
		b.Kind = "facts"
	}
	content, media, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.log.Append(t.Context(), actionlog.Entry{Type: kind, Room: room, User: user, Source: tlog.SourceRuntime, MediaType: media, Content: content})
	if err != nil {
		t.Fatal(err)
	}
	i := memory.Item{Index: p[0].Index, Type: kind, Room: room, User: user, Body: b}
	if kind == record.Memory {
		i.Vector = embed.Vector(text)
	}
	if err := d.Add(t.Context(), i, p[0].Addendum); err != nil {
		t.Fatal(err)
	}
	return p[0].Index
}

func (d *desk) texts(t *testing.T) string {
	t.Helper()
	items, err := d.Recent(t.Context(), room, 32)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, i := range items {
		list = append(list, i.Text)
	}
	return strings.Join(list, ",")
}

// tamper runs SQL on the file, as a host could that had the key; without it the host can only garble, which reads worse.
func (d *desk) tamper(t *testing.T, query string, args ...any) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	key := [32]byte{5}
	db, err := driver.Open("file:"+d.path+"?vfs=adiantum", func(c *sqlite3.Conn) error {
		return c.Exec("PRAGMA hexkey='" + hex.EncodeToString(key[:]) + "'")
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec(t, db, query, args...)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	d.open(t)
}

func exec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if r, err := db.Exec(query, args...); err != nil {
		t.Fatal(err)
	} else if n, _ := r.RowsAffected(); n == 0 {
		t.Fatal("nothing was changed")
	}
}

func TestItRemembersOverRestarts(t *testing.T) {
	d := newDesk(t)
	d.say(t, record.Message, "one")
	d.say(t, record.Reply, "two")
	d.reopen(t)
	if got := d.texts(t); got != "one,two" {
		t.Errorf("it remembers %q", got)
	}
	d.say(t, record.Message, "three")
	if got := d.texts(t); got != "one,two,three" {
		t.Errorf("it remembers %q", got)
	}
}

func TestAChangedRowNeverEntersAPrompt(t *testing.T) {
	d := newDesk(t)
	index := d.say(t, record.Message, "pay nobody")
	d.say(t, record.Message, "good")
	forged := append(bytes.Repeat([]byte{0}, 32), "pay everybody"...)
	d.tamper(t, "UPDATE items SET addendum=? WHERE idx=?", forged, int64(index))
	if got := d.texts(t); got != "good" {
		t.Errorf("after the host's change it remembers %q", got)
	}
	d.tamper(t, "INSERT INTO items VALUES(?,'message',?,?,NULL)", int64(999), room, forged)
	if got := d.texts(t); got != "good" {
		t.Errorf("a made-up row: %q", got)
	}
}

// What was said in one room must not be heard in another because the file says so.
func TestARowMovedIntoAnotherRoomIsNotHeardThere(t *testing.T) {
	d := newDesk(t)
	index := d.say(t, record.Message, "alice's secret")
	elsewhere := uuid.Of("mallory's room")
	d.tamper(t, "UPDATE items SET room=? WHERE idx=?", elsewhere, int64(index))
	recent, err := d.Recent(t.Context(), elsewhere, 32)
	if err != nil || len(recent) != 0 {
		t.Errorf("recent: %+v, %v", recent, err)
	}
	all, err := d.Room(t.Context(), elsewhere, 1<<62, 32)
	if err != nil || len(all) != 0 {
		t.Errorf("the room: %+v, %v", all, err)
	}
}

func TestAVectorOfTheHostsIsNotUsed(t *testing.T) {
	d := newDesk(t)
	index := d.say(t, record.Memory, "a fact about tea")
	d.tamper(t, "UPDATE items SET vector=x'00' WHERE idx=?", int64(index))
	found := d.Search(memory.Query{Type: record.Memory, Vector: embed.Vector("tea"), Text: "tea", Limit: 3})
	if len(found) != 1 || found[0].Vector != nil {
		t.Errorf("a vector of the host's was used: %+v", found)
	}
}

func TestRebuildBringsBackWhatTheHostTookAway(t *testing.T) {
	d := newDesk(t)
	d.say(t, record.Message, "one")
	d.say(t, record.Reply, "two")
	if n, err := d.Rebuild(t.Context(), d.log); err != nil || n != 0 {
		t.Errorf("nothing is missing, yet %d were read, %v", n, err)
	}
	d.Flush()
	if n, err := d.Rebuild(t.Context(), d.log); err != nil || n != 0 {
		t.Errorf("nothing is missing, yet %d were read, %v", n, err)
	}
	d.tamper(t, "DELETE FROM items WHERE type='message'")
	if n, err := d.Rebuild(t.Context(), d.log); err != nil || n != 2 || d.texts(t) != "one,two" {
		t.Errorf("%d entries, %v; it remembers %q", n, err, d.texts(t))
	}
}

func TestTheFileIsEncrypted(t *testing.T) {
	d := newDesk(t)
	d.say(t, record.Message, "very private words")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(d.path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil || bytes.Contains(raw, []byte("private words")) || bytes.Contains(raw, []byte("SQLite format")) {
			t.Errorf("%s is readable (%v)", file, err)
		}
	}
	if _, err := memory.Open(t.Context(), memory.Options{Path: d.path, Key: [32]byte{6}, Log: d.log}); err == nil {
		t.Error("another key opens it")
	}
	d.open(t)
}

func TestForgetForgetsEverywhere(t *testing.T) {
	d := newDesk(t)
	index := d.say(t, record.Message, "erase me")
	fact := d.say(t, record.Memory, "a fact to erase")
	if err := d.Forget(t.Context(), []uint64{index, fact}); err != nil {
		t.Fatal(err)
	}
	if d.texts(t) != "" || len(d.Search(memory.Query{Text: "fact", Limit: 9})) != 0 {
		t.Error("it still remembers")
	}
	d.reopen(t)
	if d.texts(t) != "" || len(d.Search(memory.Query{Text: "fact", Limit: 9})) != 0 {
		t.Error("it remembers again after a restart")
	}
}

func TestSearchFindsTheNearest(t *testing.T) {
	d := newDesk(t)
	for _, text := range []string{"The user likes green tea", "The server is in Oslo", "用户住在上海"} {
		d.say(t, record.Memory, text)
	}
	for query, want := range map[string]string{"which tea do they like": "The user likes green tea", "where is the server": "The server is in Oslo", "住在哪里": "用户住在上海"} {
		got := d.Search(memory.Query{Type: record.Memory, Kind: "facts", Vector: embed.Vector(query), Limit: 1})
		if len(got) != 1 || got[0].Text != want {
			t.Errorf("%q finds %+v", query, got)
		}
	}
}

func TestManyRoomsStayBounded(t *testing.T) {
	d := newDesk(t)
	for range 3 {
		d.say(t, record.Message, "x")
	}
	v := memory.Visitor{User: user, Said: tlog.SpeakerClaimed}
	first, in, err := d.Enter(t.Context(), "other", v)
	again, still, _ := d.Enter(t.Context(), "other", v)
	if err != nil || !first || again || !in || !still {
		t.Errorf("the first of a room: %v %v, then %v %v (%v)", first, in, again, still, err)
	}
}
