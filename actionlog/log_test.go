package actionlog_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/tlog"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("20") // by default; make suites runs 2,000
	}
	if f := flag.Lookup("test.fuzz"); f.Value.String() != "" {
		os.Exit(m.Run()) // fuzzing has goroutines of its own
	}
	goleak.VerifyTestMain(m)
}

const agentID = "b850bc30-45f8-0041-a00a-83df46d8555d"

func seedKey(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

func logOptions(agent string) actionlog.LogOptions {
	return actionlog.LogOptions{
		Agent: agent, LogKey: seedKey(1), StorageKey: [32]byte{2}, PrivacyKey: [32]byte{3},
		Erasure: actionlog.ErasurePolicy{Requesters: []tlog.Requester{tlog.RequesterUser, tlog.RequesterOperator}},
	}
}

func storeOptions(dir string) actionlog.Options {
	return actionlog.Options{Dir: dir, Platform: "simulator", IndexKey: [32]byte{4}}
}

func openStore(t *testing.T, o actionlog.Options) *actionlog.Store {
	t.Helper()
	s, err := actionlog.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openLog(t *testing.T, s *actionlog.Store) *actionlog.Log {
	t.Helper()
	l, err := s.OpenLog(logOptions(agentID))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// start n has keys of its own.
func bootOf(n int) actionlog.Boot {
	return actionlog.Boot{
		BootKey: seedKey(byte(10 + 2*n)), AgentKey: seedKey(byte(11 + 2*n)),
		Statement: fmt.Appendf(nil, "statement %d", n), Part: fmt.Appendf(nil, "part %d", n), Evidence: fmt.Appendf(nil, "evidence %d", n),
	}
}

func boot(t *testing.T, l *actionlog.Log, n int) actionlog.Proof {
	t.Helper()
	p, err := l.Boot(t.Context(), bootOf(n))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func appendOne(t *testing.T, l *actionlog.Log, e actionlog.Entry) actionlog.Proof {
	t.Helper()
	p, err := l.Append(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return p[0]
}

func message(room, text string) actionlog.Entry {
	return actionlog.Entry{Type: "message", Room: room, User: "user of " + room, Source: tlog.SourceRuntime, MediaType: "text/plain", Content: []byte(text)}
}

// checkProof verifies a proof as a stranger would who has the keys.
func checkProof(t *testing.T, l *actionlog.Log, p actionlog.Proof, boot actionlog.Boot) *tlog.Leaf {
	t.Helper()
	bootPub, agentPub := boot.BootKey.Public().(ed25519.PublicKey), boot.AgentKey.Public().(ed25519.PublicKey)
	c, err := tlog.OpenCheckpoint(p.Checkpoint, l.Origin(), l.LogKey(), bootPub)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := tlog.DecodeLeaf(p.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	if !leaf.Verify(agentPub) {
		t.Fatalf("entry %d is not signed by the agent key", p.Index)
	}
	if leaf.Index != p.Index || p.LeafHash != tlog.RecordHash(p.Leaf) {
		t.Fatalf("entry %d: index or hash differ", p.Index)
	}
	if err := tlog.VerifyInclusion(p.LeafHash, p.Index, c.Size, p.Path, c.Root); err != nil {
		t.Fatal(err)
	}
	if p.Addendum != nil {
		if _, err := tlog.OpenAddendum(leaf.Content, p.Addendum); err != nil {
			t.Fatal(err)
		}
	}
	return leaf
}

func TestAppendIsProvable(t *testing.T) {
	s := openStore(t, storeOptions(t.TempDir()))
	defer s.Close()
	l := openLog(t, s)
	if _, err := l.Append(t.Context(), message("r", "too early")); !errors.Is(err, actionlog.ErrNotBooted) {
		t.Fatalf("before boot: %v", err)
	}
	checkProof(t, l, boot(t, l, 0), bootOf(0))
	for i := range 5 {
		p := appendOne(t, l, message("room", fmt.Sprint("text ", i)))
		leaf := checkProof(t, l, p, bootOf(0))
		if leaf.KSeq != uint64(i) || leaf.Index != uint64(i+1) || leaf.Boot != 0 {
			t.Fatalf("leaf %+v", leaf)
		}
	}
}

func TestRestartContinues(t *testing.T) {
	dir := t.TempDir()
	var size uint64
	for start := range 4 {
		s := openStore(t, storeOptions(dir))
		l := openLog(t, s)
		f := l.Found()
		if f.Size != size || f.BootNumber != uint64(start) {
			t.Fatalf("start %d found %+v, want size %d", start, f, size)
		}
		leaf := checkProof(t, l, boot(t, l, start), bootOf(start))
		if leaf.Start.Root != f.Root || leaf.Index != f.Size || leaf.Boot != f.BootNumber {
			t.Fatalf("boot leaf %+v does not name what was found %+v", leaf, f)
		}
		for i := range 3 {
			appendOne(t, l, message("room", fmt.Sprint(start, i)))
		}
		size = l.Size()
		for i := range size {
			it, err := l.Entry(t.Context(), i)
			if err != nil {
				t.Fatal(err)
			}
			if it.Leaf.Start != nil {
				if want := bootOf(int(it.Leaf.Boot)); !bytes.Equal(it.Statement, want.Statement) || !bytes.Equal(it.Evidence, want.Evidence) {
					t.Fatalf("entry %d: public bytes of the boot leaf are gone", i)
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestManyClientsAtOnce(t *testing.T) {
	s := openStore(t, storeOptions(t.TempDir()))
	defer s.Close()
	l := openLog(t, s)
	boot(t, l, 0)
	const clients, each = 32, 20
	var wg sync.WaitGroup
	seen := make([]bool, 1+clients*each)
	var mu sync.Mutex
	for c := range clients {
		wg.Go(func() {
			for i := range each {
				ps, err := l.Append(context.Background(), message(fmt.Sprint("room", c%4), fmt.Sprint(c, " ", i)))
				if err != nil {
					t.Error(err)
					return
				}
				checkProof(t, l, ps[0], bootOf(0))
				mu.Lock()
				seen[ps[0].Index] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for i, was := range seen[1:] {
		if !was {
			t.Fatalf("index %d was acknowledged to nobody", i+1)
		}
	}
	page, err := l.Query(t.Context(), actionlog.Query{Room: "room1", Newest: true, Limit: 10, Count: true, Viewer: actionlog.Viewer{Owner: true}})
	if err != nil {
		t.Fatal(err)
	}
	if page.Total != clients/4*each || len(page.Items) != 10 || page.Next == "" {
		t.Fatalf("total %d, %d items, next %q", page.Total, len(page.Items), page.Next)
	}
}

func TestPagesCoverEverythingOnce(t *testing.T) {
	s := openStore(t, storeOptions(t.TempDir()))
	defer s.Close()
	l := openLog(t, s)
	boot(t, l, 0)
	for i := range 57 {
		e := message(fmt.Sprint("room", i%3), fmt.Sprint("needle ", i))
		if i%5 == 0 {
			e.Type = "reply"
		}
		appendOne(t, l, e)
	}
	for _, q := range []actionlog.Query{
		{},
		{Newest: true},
		{Types: []string{"message"}},
		{Types: []string{"message", "reply"}, Newest: true},
		{Room: "room2", Newest: true},
		{Room: "room2", Types: []string{"reply"}},
		{Text: "NEEDLE"},
		{Text: "needle 1", Newest: true},
		{From: 10, To: 40, Types: []string{"message"}},
	} {
		q.Viewer, q.Limit = actionlog.Viewer{Owner: true}, 7
		var got []uint64
		for {
			p, err := l.Query(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range p.Items {
				got = append(got, it.Index)
			}
			if q.Cursor = p.Next; p.Next == "" {
				break
			}
		}
		if want := naive(t, l, q); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("query %+v\n got %v\nwant %v", q, got, want)
		}
	}
}

// naive answers a query by reading everything.
func naive(t *testing.T, l *actionlog.Log, q actionlog.Query) (out []uint64) {
	t.Helper()
	for i := range l.Size() {
		it, err := l.Entry(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		ok := i >= q.From && (q.To == 0 || i < q.To) && (q.Room == "" || it.Content.Room == q.Room) &&
			(len(q.Types) == 0 || strings.Contains(strings.Join(q.Types, " "), it.Leaf.Type)) &&
			(q.Text == "" || strings.Contains(strings.ToLower(string(it.Content.Content)), strings.ToLower(q.Text)))
		switch {
		case ok && q.Newest:
			out = append([]uint64{i}, out...)
		case ok:
			out = append(out, i)
		}
	}
	return out
}

func TestPublicSeesNoConversation(t *testing.T) {
	s := openStore(t, storeOptions(t.TempDir()))
	defer s.Close()
	l := openLog(t, s)
	boot(t, l, 0)
	said := appendOne(t, l, message("room", "my secret"))
	act := message("room", "transfer 1")
	act.Type, act.Cause = "action", []uint64{said.Index}
	done := appendOne(t, l, act)
	hidden := message("room", "prompt")
	hidden.Visibility = actionlog.VisibilityNever
	never := appendOne(t, l, hidden)

	state := func(v actionlog.Viewer, index uint64) actionlog.Item {
		it, err := l.Entry(t.Context(), index)
		if err != nil {
			t.Fatal(err)
		}
		return l.For(it, v)
	}
	room := actionlog.Viewer{Rooms: []actionlog.RoomPass{{Room: "room", Secret: l.RoomSecret("room")}}}
	wrong := actionlog.Viewer{Rooms: []actionlog.RoomPass{{Room: "room", Secret: l.RoomSecret("other")}}}
	for _, c := range []struct {
		who   string
		v     actionlog.Viewer
		index uint64
		want  actionlog.ContentState
	}{
		{"public", actionlog.Viewer{}, said.Index, actionlog.ContentWithheld},
		{"owner", actionlog.Viewer{Owner: true}, said.Index, actionlog.ContentShown},
		{"room secret", room, said.Index, actionlog.ContentShown},
		{"wrong secret", wrong, said.Index, actionlog.ContentWithheld},
		{"public", actionlog.Viewer{}, done.Index, actionlog.ContentShown},
		{"owner", actionlog.Viewer{Owner: true}, never.Index, actionlog.ContentWithheld},
	} {
		if got := state(c.v, c.index); got.State != c.want || (got.State != actionlog.ContentShown && got.Addendum != nil) {
			t.Errorf("%s sees entry %d as %s, want %s", c.who, c.index, got.State, c.want)
		}
	}
	if pub := state(actionlog.Viewer{}, done.Index); pub.Content.Room != "" || bytes.Contains(pub.Addendum, []byte("user of room")) {
		t.Error("a public action names the room or the user")
	}
	if own := state(actionlog.Viewer{Owner: true}, done.Index); own.Content.Room != "room" || own.Content.User != "user of room" {
		t.Error("the owner does not get the ids of a public action")
	}
	p, err := l.Query(t.Context(), actionlog.Query{Text: "secret"})
	if err != nil || len(p.Items) != 0 {
		t.Errorf("the public finds %d entries by text it may not see (%v)", len(p.Items), err)
	}
}

func TestCauses(t *testing.T) {
	s := openStore(t, storeOptions(t.TempDir()))
	defer s.Close()
	l := openLog(t, s)
	boot(t, l, 0)
	add := func(typ string, cause ...uint64) uint64 {
		return appendOne(t, l, actionlog.Entry{Type: typ, Source: tlog.SourceRuntime, Content: []byte(typ), Cause: cause}).Index
	}
	m := add("message")
	model := add("model", m)
	intent := add("intent", model, m)
	other := add("message")
	result := add("result", intent)
	list := func(items []actionlog.Item, _ bool, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		var out []uint64
		for _, it := range items {
			out = append(out, it.Index)
		}
		return fmt.Sprint(out)
	}
	if got, want := list(l.Causes(t.Context(), result, 0, actionlog.Viewer{})), fmt.Sprint([]uint64{m, model, intent}); got != want {
		t.Errorf("causes %s, want %s", got, want)
	}
	if got, want := list(l.Effects(t.Context(), m, 0, actionlog.Viewer{})), fmt.Sprint([]uint64{model, intent, result}); got != want {
		t.Errorf("effects %s, want %s", got, want)
	}
	if got := list(l.Effects(t.Context(), other, 0, actionlog.Viewer{})); got != "[]" {
		t.Errorf("effects of an entry nobody names: %s", got)
	}
	if _, err := l.Append(t.Context(), actionlog.Entry{Type: "note", Source: tlog.SourceRuntime, Cause: []uint64{99}}); err == nil {
		t.Error("a cause that does not exist was accepted")
	}
	appendOne(t, l, message("r", "the log goes on after a refused entry"))
}

func TestIdempotencyKey(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, storeOptions(dir))
	l := openLog(t, s)
	boot(t, l, 0)
	e := message("room", "once")
	e.IdempotencyKey = "k1"
	first := appendOne(t, l, e)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			e2 := message("room", "parallel")
			e2.IdempotencyKey = "k2"
			if _, err := l.Append(context.Background(), e2); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if l.Size() != 3 {
		t.Fatalf("size %d after eight equal requests, want 3", l.Size())
	}
	if again := appendOne(t, l, e); again.Index != first.Index || !bytes.Equal(again.Leaf, first.Leaf) {
		t.Fatal("a retry was logged again")
	}
	e.Content = []byte("twice")
	if _, err := l.Append(t.Context(), e); !errors.Is(err, actionlog.ErrConflict) {
		t.Fatalf("another entry under the same key: %v", err)
	}
	s.Close()
	s = openStore(t, storeOptions(dir))
	defer s.Close()
	l = openLog(t, s)
	boot(t, l, 1)
	e.Content = []byte("once")
	if again := appendOne(t, l, e); again.Index != first.Index {
		t.Fatal("a retry after a restart was logged again")
	}
}

func TestTimeNeverFalls(t *testing.T) {
	now := time.UnixMicro(1_760_000_000_000_000)
	o := storeOptions(t.TempDir())
	o.Now = func() time.Time { return now }
	s := openStore(t, o)
	defer s.Close()
	l := openLog(t, s)
	boot(t, l, 0)
	for _, c := range []struct {
		step    time.Duration
		clamped bool
	}{{time.Second, false}, {-time.Minute, false}, {-10 * time.Minute, true}} {
		now = now.Add(c.step)
		before := l.Size() - 1
		leaf := checkProof(t, l, appendOne(t, l, message("r", "x")), bootOf(0))
		prev, err := l.Entry(t.Context(), before)
		if err != nil {
			t.Fatal(err)
		}
		if leaf.Time < prev.Leaf.Time || leaf.Clamped != c.clamped {
			t.Errorf("after %v: time %d (before %d), clamped %v", c.step, leaf.Time, prev.Leaf.Time, leaf.Clamped)
		}
	}
}

func TestCallersAreLimited(t *testing.T) {
	s := openStore(t, storeOptions(t.TempDir()))
	defer s.Close()
	l := openLog(t, s)
	boot(t, l, 0)
	for _, typ := range []string{"boot", "message", "policy", "erasure", "app/", "app/A b", ""} {
		var inv *actionlog.Invalid
		if _, err := l.Append(t.Context(), actionlog.Entry{Type: typ}); !errors.As(err, &inv) {
			t.Errorf("caller wrote type %q: %v", typ, err)
		}
	}
	for i := range tlog.MaxAppTypes {
		appendOne(t, l, actionlog.Entry{Type: fmt.Sprintf("app/t%d", i)})
	}
	if _, err := l.Append(t.Context(), actionlog.Entry{Type: "app/one-more"}); err == nil {
		t.Error("more than 64 app types")
	}
	leaf := checkProof(t, l, appendOne(t, l, actionlog.Entry{Type: "intent", Content: []byte("pay")}), bootOf(0))
	if leaf.Source != tlog.SourceCaller {
		t.Errorf("source %s", leaf.Source)
	}
}
