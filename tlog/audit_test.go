package tlog_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/tlog"
	"github.com/teapot-tee/teapot/tlog/tlogtest"
)

// history is a log with three starts, an erasure, an intent with its result and an open one.
func history(t testing.TB) *tlogtest.Log {
	l := tlogtest.New(t)
	l.Boot()
	for range 5 {
		m := l.Say("message", "hello")
		l.Say("reply", "How do you do?", func(x *tlog.Leaf) { x.Cause = []uint64{m} })
	}
	l.Boot()
	i := l.Say(tlog.TypeIntent, "send 1 lamport")
	l.Say(tlog.TypeResult, "sent", func(x *tlog.Leaf) { x.Cause = []uint64{i} })
	l.Erase(tlog.RequesterUser, 1, 3)
	l.Boot()
	l.Say(tlog.TypeIntent, "send 2 lamports")
	l.Say("app/note", "noted", func(x *tlog.Leaf) { x.Source = tlog.SourceCaller })
	return l
}

// items returns the whole log with the erased contents gone.
func items(l *tlogtest.Log) []tlog.Item {
	var list []tlog.Item
	for i := range l.Hashes.Size() {
		list = append(list, l.Item(i))
		if x, err := tlog.DecodeLeaf(l.Leaves[i]); err == nil && x.Erased != nil {
			for _, t := range x.Erased.Targets {
				if l.Addenda[t.Index] != nil {
					list[t.Index] = tlog.Item{Leaf: l.Leaves[t.Index], Status: tlog.StatusErased}
				}
			}
		}
	}
	return list
}

func options(l *tlogtest.Log) tlog.AuditOptions {
	return tlog.AuditOptions{Origin: l.Origin, LogKey: tlogtest.Pub(1), Contents: true}
}

func audit(t testing.TB, o tlog.AuditOptions, list []tlog.Item, checkpoint []byte) *tlog.AuditReport {
	t.Helper()
	a, err := tlog.NewAuditor(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range list {
		if err := a.Add(item); err != nil {
			t.Fatal(err)
		}
	}
	c, err := tlog.ParseCheckpoint(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	return a.Finish(c)
}

// failed returns the IDs of the failed checks.
func failed(r *tlog.AuditReport) string {
	var ids []string
	for _, c := range r.Checks {
		if c.Outcome == appraisal.Failed {
			ids = append(ids, c.ID)
		}
	}
	return strings.Join(ids, " ")
}

func TestAuditOfAGoodLog(t *testing.T) {
	l := history(t)
	r := audit(t, options(l), items(l), l.Checkpoint())
	if !r.OK() {
		t.Fatalf("failed: %s: %+v", failed(r), r.Checks)
	}
	if len(r.Starts) != 3 || r.Starts[1].Index != 11 || r.Starts[1].Number != 1 || r.Starts[1].FoundTime != r.Starts[1].Time-1000 {
		t.Errorf("starts: %+v", r.Starts)
	}
	if r.ErasedBy[tlog.RequesterUser] != 2 || r.Erased != 2 || r.Withheld != 0 || r.Disclosed != 12 {
		t.Errorf("contents: %+v", r)
	}
	if !slices.Equal(r.OpenIntents, []uint64{16}) {
		t.Errorf("open intents: %v", r.OpenIntents)
	}
	for id, want := range map[string]string{
		"entries.erasure": "contents were erased only where that is allowed: 2 on demand of user", "entries.intent": "every result names its intent; 1 intents have no result (yet)",
		"entries.withheld": "no content that should be here is missing; 0 are not shown (private, or not asked for), 2 are erased",
	} {
		if i := slices.IndexFunc(r.Checks, func(c appraisal.Check) bool { return c.ID == id }); r.Checks[i].Detail != want {
			t.Errorf("%s: %s", id, r.Checks[i].Detail)
		}
	}
	if r.State == nil || !r.State.Whole || r.Kinds.Hash() != l.Kinds.Hash() {
		t.Errorf("state: %+v", r.State)
	}
	for _, c := range r.Checks {
		if want := c.ID == "log.consistency"; (c.Outcome == appraisal.NotChecked) != want {
			t.Errorf("%s: %s", c.ID, c.Outcome)
		}
	}
}

// TestAuditFindsWhatAttestedCodeWouldNotWrite signs bad leaves with good keys: each rule has its negative.
func TestAuditFindsWhatAttestedCodeWouldNotWrite(t *testing.T) {
	for name, c := range map[string]struct {
		write func(l *tlogtest.Log)
		want  string
	}{
		"a kseq too high":           {func(l *tlogtest.Log) { l.Say("message", "x", func(x *tlog.Leaf) { x.KSeq++ }) }, "entries.kseq"},
		"a kseq too low":            {func(l *tlogtest.Log) { l.Say("message", "x", func(x *tlog.Leaf) { x.KSeq-- }) }, "entries.kseq"},
		"wrong kinds":               {func(l *tlogtest.Log) { l.Say("message", "x", func(x *tlog.Leaf) { x.Kinds[0]++ }) }, "entries.kinds"},
		"another index":             {func(l *tlogtest.Log) { l.Say("message", "x", func(x *tlog.Leaf) { x.Index++ }) }, "entries.index"},
		"an old start's number":     {func(l *tlogtest.Log) { l.Say("message", "x", func(x *tlog.Leaf) { x.Boot-- }) }, "entries.start"},
		"a start that is not open":  {func(l *tlogtest.Log) { l.Say("message", "x", func(x *tlog.Leaf) { x.Boot++ }) }, "entries.start"},
		"time goes back":            {func(l *tlogtest.Log) { l.Say("message", "x", func(x *tlog.Leaf) { x.Time -= 2000 }) }, "entries.time"},
		"a caller's message":        {func(l *tlogtest.Log) { l.Say("message", "x", func(x *tlog.Leaf) { x.Source = tlog.SourceCaller }) }, "entries.source"},
		"a result without cause":    {func(l *tlogtest.Log) { l.Say(tlog.TypeResult, "x") }, "entries.intent"},
		"a result of no intent":     {func(l *tlogtest.Log) { l.Say(tlog.TypeResult, "x", func(x *tlog.Leaf) { x.Cause = []uint64{2} }) }, "entries.intent"},
		"a boot leaf's wrong root":  {func(l *tlogtest.Log) { l.Boot(func(x *tlog.Leaf) { x.Start.Root[0]++ }) }, "entries.start"},
		"a boot leaf out of order":  {func(l *tlogtest.Log) { l.Boot(func(x *tlog.Leaf) { x.Boot, x.KSeq = 7, 7 }) }, "entries.start entries.kseq"},
		"an erased intent":          {func(l *tlogtest.Log) { l.Erase(tlog.RequesterUser, 12) }, "entries.erasure"},
		"an erased boot leaf":       {func(l *tlogtest.Log) { l.Erase(tlog.RequesterUser, 0) }, "entries.erasure"},
		"content of a boot leaf":    {func(l *tlogtest.Log) { l.Boot(); l.Addenda[len(l.Addenda)-1] = make([]byte, 40) }, "entries.content"},
		"content of another":        {func(l *tlogtest.Log) { l.Say("note", "x"); l.Addenda[len(l.Addenda)-1] = l.Addenda[2] }, "entries.content"},
		"a wrong size class":        {func(l *tlogtest.Log) { l.Say("note", "x", func(x *tlog.Leaf) { x.Content.SizeClass++ }) }, "entries.content"},
		"a leaf of another log":     {otherLog, "entries.origin"},
		"a leaf with another's key": {func(l *tlogtest.Log) { l.Agent = tlogtest.Key(9); l.Say("note", "x") }, "entries.signature"},
		"an old start's key":        {func(l *tlogtest.Log) { old := l.Agent; l.Boot(); l.Agent = old; l.Say("note", "x") }, "entries.signature"},
		"no leaf at all":            {func(l *tlogtest.Log) { l.AddRaw([]byte("what?"), nil); l.Say("note", "x") }, "entries.form"},
		"an old start's checkpoint": {func(l *tlogtest.Log) { old := l.BootKey; l.Boot(); l.BootKey = old }, "log.boot_signature"},
	} {
		l := history(t)
		c.write(l)
		r := audit(t, options(l), items(l), l.Checkpoint())
		for _, id := range strings.Fields(c.want) {
			if !slices.Contains(strings.Fields(failed(r)), id) {
				t.Errorf("%s: failed: %q, want %s", name, failed(r), id)
			}
		}
		if r.State != nil {
			t.Errorf("%s: there is a state to continue from", name)
		}
	}
}

func otherLog(l *tlogtest.Log) {
	leaf := &tlog.Leaf{Origin: tlog.Origin(tlogtest.Agent, tlogtest.Pub(5)), Type: "note", Index: l.Hashes.Size()}
	raw, _ := leaf.Sign(l.Agent)
	l.AddRaw(raw, nil)
}

// TestAuditFindsTheHost has what a host without keys can do to what it serves.
func TestAuditFindsTheHost(t *testing.T) {
	l := history(t)
	whole, note := items(l), l.Checkpoint()
	other := history(t)
	other.Say("note", "x")
	for name, c := range map[string]struct {
		list []tlog.Item
		note []byte
		want string
	}{
		"a dropped entry":      {slices.Delete(slices.Clone(whole), 4, 5), note, "log.root entries.index"},
		"a doubled entry":      {slices.Insert(slices.Clone(whole), 4, whole[4]), note, "log.root entries.index entries.kseq"},
		"two swapped":          {swapped(whole, 4, 5), note, "log.root entries.index"},
		"a cut tail":           {whole[:len(whole)-1], note, "log.root"},
		"no boot leaf":         {whole[1:], note, "log.root entries.start"},
		"a changed content":    {changed(whole, 2, func(i *tlog.Item) { i.Addendum = append(slices.Clone(i.Addendum), 0) }), note, "entries.content"},
		"a short addendum":     {changed(whole, 2, func(i *tlog.Item) { i.Addendum = i.Addendum[:31] }), note, "entries.content"},
		"a changed leaf":       {changed(whole, 2, func(i *tlog.Item) { i.Leaf = flipped(i.Leaf, len(i.Leaf)-1) }), note, "log.root entries.signature"},
		"withheld content":     {changed(whole, 2, func(i *tlog.Item) { i.Addendum, i.Status = nil, tlog.StatusWithheld }), note, "entries.withheld"},
		"a made-up erasure":    {changed(whole, 2, func(i *tlog.Item) { i.Addendum, i.Status = nil, tlog.StatusErased }), note, "entries.withheld"},
		"nothing said of it":   {changed(whole, 2, func(i *tlog.Item) { i.Addendum, i.Status = nil, tlog.StatusNone }), note, "entries.content"},
		"another checkpoint":   {whole, other.Checkpoint(), "log.root"},
		"unsigned checkpoint":  {whole, bytes.Replace(note, []byte("\n— "), []byte("\n— x"), 2), "log.signature log.boot_signature"},
		"nothing":              {nil, note, "log.root log.boot_signature entries.start"},
		"a hidden boot leaf":   {left(t, l, whole, 14, 16), note, "entries.start entries.complete"},
		"an entry left out":    {left(t, l, whole, 7, 8), note, "entries.complete"},
		"the last one missing": {left(t, l, whole, 17, 18), note, "entries.complete"},
	} {
		r := audit(t, options(l), c.list, c.note)
		for _, id := range strings.Fields(c.want) {
			if !slices.Contains(strings.Fields(failed(r)), id) {
				t.Errorf("%s: failed: %q, want %s", name, failed(r), id)
			}
		}
	}
}

func swapped(list []tlog.Item, i, j int) []tlog.Item {
	list = slices.Clone(list)
	list[i], list[j] = list[j], list[i]
	return list
}

func changed(list []tlog.Item, i int, f func(*tlog.Item)) []tlog.Item {
	list = slices.Clone(list)
	f(&list[i])
	return list
}

func flipped(b []byte, i int) []byte {
	b = slices.Clone(b)
	b[i] ^= 1
	return b
}

// left leaves out the entries [from, to).
func left(t *testing.T, l *tlogtest.Log, list []tlog.Item, from, to uint64) []tlog.Item {
	t.Helper()
	gap, err := tlog.LeaveOut(from, to, &l.Hashes)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(list[:from], gap, list[to:])
}

func TestAuditRefusesForeignLogKey(t *testing.T) {
	l := history(t)
	o := options(l)
	o.LogKey = tlogtest.Pub(4)
	if got := failed(audit(t, o, items(l), l.Checkpoint())); got != "log.origin log.signature" {
		t.Errorf("failed: %q", got)
	}
}

func TestErasurePolicyIsAsked(t *testing.T) {
	l := history(t)
	o := options(l)
	var asked []string
	o.MayErase = func(start uint64, by tlog.Requester) error {
		asked = append(asked, fmt.Sprint(start, by))
		return errors.New("not in this house")
	}
	r := audit(t, o, items(l), l.Checkpoint())
	if failed(r) != "entries.erasure" || !slices.Equal(asked, []string{"1 user"}) {
		t.Errorf("failed %q, asked %v", failed(r), asked)
	}
}

// keep leaves out every entry that is not wanted.
func keep(t *testing.T, l *tlogtest.Log, want func(*tlog.Leaf) bool) []tlog.Item {
	t.Helper()
	var list []tlog.Item
	whole := items(l)
	from := uint64(0)
	for i := range l.Hashes.Size() {
		leaf, err := tlog.DecodeLeaf(l.Leaves[i])
		if err != nil {
			t.Fatal(err)
		}
		if !want(leaf) {
			continue
		}
		gap, err := tlog.LeaveOut(from, i, &l.Hashes)
		if err != nil {
			t.Fatal(err)
		}
		list, from = append(append(list, gap...), whole[i]), i+1
	}
	gap, err := tlog.LeaveOut(from, l.Hashes.Size(), &l.Hashes)
	if err != nil {
		t.Fatal(err)
	}
	return append(list, gap...)
}

func TestPartialAnswersAreComplete(t *testing.T) {
	l := history(t)
	lastIndex := l.Hashes.Size() - 1
	leafAt := func(i uint64) *tlog.Leaf { x, _ := tlog.DecodeLeaf(l.Leaves[i]); return x }
	needed := func(x *tlog.Leaf) bool {
		return x.Type == tlog.TypeBoot || x.Type == tlog.TypeErasure || x.Index == lastIndex
	}
	for name, c := range map[string]struct {
		window tlog.Window
		want   func(x *tlog.Leaf) bool
		miss   func(x *tlog.Leaf) bool // an entry whose absence must be noticed
	}{
		"a type": {
			tlog.Window{Types: []string{"reply"}},
			func(x *tlog.Leaf) bool { return x.Type == "reply" },
			func(x *tlog.Leaf) bool { return x.Type == "reply" && x.KSeq == 2 },
		},
		"the newest of a type": {
			tlog.Window{Types: []string{"reply"}},
			func(x *tlog.Leaf) bool { return x.Type == "reply" },
			func(x *tlog.Leaf) bool { return x.Type == "reply" && x.KSeq == 4 },
		},
		"the first of a type": {
			tlog.Window{Types: []string{"reply"}},
			func(x *tlog.Leaf) bool { return x.Type == "reply" },
			func(x *tlog.Leaf) bool { return x.Type == "reply" && x.KSeq == 0 },
		},
		"a type that never was": {
			tlog.Window{Types: []string{"transfer"}},
			func(*tlog.Leaf) bool { return false },
			func(x *tlog.Leaf) bool { return x.Type == tlog.TypeBoot && x.KSeq == 1 },
		},
		"a range": {
			tlog.Window{From: 4, To: 9},
			func(x *tlog.Leaf) bool { return x.Index >= 4 && x.Index < 9 },
			func(x *tlog.Leaf) bool { return x.Index == 8 },
		},
		"the first of a range": {
			tlog.Window{From: 4, To: 9},
			func(x *tlog.Leaf) bool { return x.Index >= 4 && x.Index < 9 },
			func(x *tlog.Leaf) bool { return x.Index == 4 },
		},
		"a time": {
			tlog.Window{Since: leafAt(4).Time, Until: leafAt(9).Time},
			func(x *tlog.Leaf) bool { return x.Index >= 3 && x.Index <= 9 },
			func(x *tlog.Leaf) bool { return x.Index == 9 }, // without it nobody knows whether 8 was the last
		},
		"a type in a time": {
			tlog.Window{Since: leafAt(4).Time, Until: leafAt(9).Time, Types: []string{"message"}},
			func(x *tlog.Leaf) bool { return x.Index >= 3 && x.Index <= 9 && x.Type == "message" },
			func(x *tlog.Leaf) bool { return x.Index == 5 },
		},
	} {
		o := options(l)
		o.Window, o.Kinds = c.window, &l.Kinds
		good := audit(t, o, keep(t, l, func(x *tlog.Leaf) bool { return needed(x) || c.want(x) || needsBound(name, x) }), l.Checkpoint())
		if !good.OK() {
			t.Errorf("%s: failed: %s %+v", name, failed(good), good.Checks)
		}
		bad := audit(t, o, keep(t, l, func(x *tlog.Leaf) bool { return (needed(x) || c.want(x) || needsBound(name, x)) && !c.miss(x) }), l.Checkpoint())
		if bad.OK() {
			t.Errorf("%s: nobody missed the entry", name)
		}
	}
}

// needsBound adds the entry behind the window where the window's end would not show without it.
func needsBound(name string, x *tlog.Leaf) bool {
	return name == "a type in a time" && x.Index == 9
}

func TestPartialAnswerNeedsTheCounts(t *testing.T) {
	l := history(t)
	o := options(l)
	o.Window = tlog.Window{Types: []string{"reply"}}
	list := keep(t, l, func(x *tlog.Leaf) bool { return x.Type != "message" })
	if r := audit(t, o, list, l.Checkpoint()); failed(r) != "entries.complete" {
		t.Errorf("without counts: %q", failed(r))
	}
	wrong := l.Kinds.Clone()
	wrong.Add("message")
	o.Kinds = &wrong
	if r := audit(t, o, list, l.Checkpoint()); failed(r) != "entries.complete" {
		t.Errorf("with other counts: %q", failed(r))
	}
}

func TestAuditContinues(t *testing.T) {
	l := history(t)
	first := audit(t, options(l), items(l), l.Checkpoint())
	size := l.Hashes.Size()
	b, err := first.State.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	state, err := tlog.ParseAuditState(b)
	if err != nil {
		t.Fatal(err)
	}
	l.Say(tlog.TypeResult, "sent", func(x *tlog.Leaf) { x.Cause = []uint64{16} })
	l.Boot()
	l.Say("message", "hello again")
	o := options(l)
	o.State = state
	r := audit(t, o, items(l)[size:], l.Checkpoint())
	if !r.OK() || len(r.OpenIntents) != 0 || len(r.Starts) != 1 || r.State == nil || !r.State.Whole {
		t.Errorf("failed %q: %+v", failed(r), r)
	}
	whole := audit(t, options(l), items(l), l.Checkpoint())
	a, _ := whole.State.Marshal()
	b, _ = r.State.Marshal()
	if !bytes.Equal(a, b) {
		t.Errorf("continued %s, whole %s", b, a)
	}
	fork := history(t)
	fork.Say("message", "something else")
	o.State = state
	fork.Leaves[2] = flipped(fork.Leaves[2], 9)
	forked := history(t)
	forked.Say("message", "x")
	state.Roots[0][0] ^= 1
	if r := audit(t, o, items(forked)[size:], forked.Checkpoint()); !strings.Contains(failed(r), "log.consistency") {
		t.Errorf("a fork: %q", failed(r))
	}
}

func TestAuditComparesWhatWasSeen(t *testing.T) {
	l := history(t)
	at := func(size uint64) tlog.Checkpoint {
		root, err := tlog.RootAt(size, &l.Hashes)
		if err != nil {
			t.Fatal(err)
		}
		return tlog.Checkpoint{Origin: l.Origin, Size: size, Root: root}
	}
	o := options(l)
	o.Known = []tlog.Checkpoint{at(5), at(12), at(18)}
	if r := audit(t, o, items(l), l.Checkpoint()); !r.OK() || r.Checks[4].Outcome != appraisal.Passed {
		t.Errorf("failed %q, %+v", failed(r), r.Checks[4])
	}
	other := at(12)
	other.Root[0] ^= 1
	o.Known = []tlog.Checkpoint{at(5), other}
	if r := audit(t, o, items(l), l.Checkpoint()); failed(r) != "log.consistency" {
		t.Errorf("a fork: %q", failed(r))
	}
	o.Known = []tlog.Checkpoint{{Origin: l.Origin, Size: 99}}
	if r := audit(t, o, items(l), l.Checkpoint()); failed(r) != "log.consistency" {
		t.Errorf("a rollback: %q", failed(r))
	}
}

func TestReportsAreDeterministic(t *testing.T) {
	l := tlogtest.New(t)
	l.Boot()
	for i := range 600 {
		l.Say("message", fmt.Sprint(i))
	}
	list := items(l)
	for i := range list {
		if list[i].Status == tlog.StatusDisclosed {
			list[i].Addendum = flipped(list[i].Addendum, 0)
		}
	}
	want := audit(t, options(l), list, l.Checkpoint())
	for workers := range 3 {
		o := options(l)
		o.Workers = workers
		if got := audit(t, o, list, l.Checkpoint()); fmt.Sprint(got.Checks) != fmt.Sprint(want.Checks) {
			t.Errorf("%v, want %v", got.Checks, want.Checks)
		}
	}
}

func TestASubtreeThatDoesNotFitIsRefused(t *testing.T) {
	l := history(t)
	a, err := tlog.NewAuditor(options(l))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Add(l.Item(0)); err != nil {
		t.Fatal(err)
	}
	for _, level := range []uint{1, 5, 52, 53, 64, 200} {
		if a.Add(tlog.Item{Level: level}) == nil {
			t.Errorf("level %d was taken", level)
		}
	}
}

// BenchmarkAudit walks logs and, in the same run and in turn, verifies the same number of bare signatures on all cores. It reports
// entries per second and the share of the Ed25519 limit that the audit reaches.
func BenchmarkAudit(b *testing.B) {
	l := tlogtest.New(b)
	l.Boot()
	for range 16383 {
		l.Say("message", strings.Repeat("hello ", 40))
	}
	var list []tlog.Item
	for i := range l.Hashes.Size() {
		list = append(list, l.Item(i))
	}
	note, o := l.Checkpoint(), options(l)
	var audits, limit time.Duration
	for b.Loop() {
		began := time.Now()
		if r := audit(b, o, list, note); !r.OK() {
			b.Fatal(failed(r))
		}
		audits += time.Since(began)
		began = time.Now()
		verifyAll(len(list))
		limit += time.Since(began)
	}
	b.ReportMetric(float64(len(list)*b.N)/audits.Seconds(), "entries/s")
	b.ReportMetric(float64(len(list)*b.N)/limit.Seconds(), "verifies/s")
	b.ReportMetric(limit.Seconds()/audits.Seconds(), "of-limit")
}

// verifyAll verifies n signatures over 400 bytes on all cores.
func verifyAll(n int) {
	key, msg := tlogtest.Key(1), make([]byte, 400)
	pub, sig := tlogtest.Pub(1), ed25519.Sign(key, msg)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for range n / runtime.GOMAXPROCS(0) {
				ed25519.Verify(pub, msg, sig)
			}
		})
	}
	all.Wait()
}

func TestAuditCountsEntriesWhoseClockWasBehind(t *testing.T) {
	l := history(t)
	for range 2 {
		l.Say("message", "x", func(x *tlog.Leaf) { x.Clamped = true })
	}
	r := audit(t, options(l), items(l), l.Checkpoint())
	at := slices.IndexFunc(r.Checks, func(c appraisal.Check) bool { return c.ID == "entries.time" })
	if c := r.Checks[at]; c.Outcome != appraisal.Passed || !strings.Contains(c.Detail, "; 2 entries bear their predecessor's time") {
		t.Errorf("%+v", c)
	}
}
