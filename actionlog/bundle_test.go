package actionlog_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/appraisal"
	"github.com/teapot-tee/teapot/bundle"
	"github.com/teapot-tee/teapot/tlog"
)

// judge reads a bundle and audits it as a stranger does.
func judge(t *testing.T, l *actionlog.Log, b []byte) (*bundle.Reader, *tlog.AuditReport) {
	t.Helper()
	r, err := bundle.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	a, err := tlog.NewAuditor(tlog.AuditOptions{Origin: l.Origin(), LogKey: l.LogKey(), Kinds: r.Kinds, Window: r.Header.Query.Window, Contents: r.Header.Query.Contents})
	if err != nil {
		t.Fatal(err)
	}
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		item.Leaf, item.Addendum = bytes.Clone(item.Leaf), bytes.Clone(item.Addendum)
		if err := a.Add(item); err != nil {
			t.Fatal(err)
		}
	}
	return r, a.Finish(r.Checkpoint)
}

func failures(r *tlog.AuditReport) string {
	var out []string
	for _, c := range r.Checks {
		if c.Outcome == appraisal.Failed {
			out = append(out, c.ID+": "+c.Detail+" "+c.Got)
		}
	}
	return strings.Join(out, "; ")
}

// storyLog has two starts, a conversation, actions and an erasure.
func storyLog(t *testing.T, dir string) (*actionlog.Store, *actionlog.Log) {
	t.Helper()
	s := openStore(t, storeOptions(dir))
	l := openLog(t, s)
	boot(t, l, 0)
	story(t, l)
	s.Close()
	s = openStore(t, storeOptions(dir))
	l = openLog(t, s)
	boot(t, l, 1)
	story(t, l)
	return s, l
}

func story(t *testing.T, l *actionlog.Log) {
	t.Helper()
	for range 4 {
		m := appendOne(t, l, message("room", "hello"))
		i := appendOne(t, l, actionlog.Entry{Type: "intent", Source: tlog.SourceGateway, Content: []byte("pay"), Cause: []uint64{m.Index}, Room: "room"})
		appendOne(t, l, actionlog.Entry{Type: "result", Source: tlog.SourceGateway, Content: []byte("paid"), Cause: []uint64{i.Index}})
		appendOne(t, l, actionlog.Entry{Type: "reply", Room: "room", User: "user of room", Source: tlog.SourceRuntime, Content: []byte("hi"), Cause: []uint64{m.Index, i.Index}})
	}
}

func TestBundlesSatisfyTheAuditor(t *testing.T) {
	s, l := storyLog(t, t.TempDir())
	defer s.Close()
	if _, err := l.Erase(t.Context(), actionlog.Erasure{Targets: []uint64{1, 4}, Requester: tlog.RequesterUser, User: "user of room", Reason: "asked"}); err != nil {
		t.Fatal(err)
	}
	appendOne(t, l, message("room", "the last word"))
	at := func(i uint64) uint64 {
		it, err := l.Entry(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		return it.Leaf.Time
	}
	for name, e := range map[string]actionlog.Extract{
		"everything":        {Contents: true},
		"for the owner":     {Contents: true, Viewer: actionlog.Viewer{Owner: true}},
		"without contents":  {},
		"a range":           {Window: tlog.Window{From: 5, To: 12}, Contents: true},
		"a range to an end": {Window: tlog.Window{From: 9}},
		"a type":            {Window: tlog.Window{Types: []string{"reply"}}},
		"two types":         {Window: tlog.Window{Types: []string{"result", "intent"}}, Contents: true},
		"a type that is not": {
			Window: tlog.Window{Types: []string{"transfer"}}, Contents: true,
		},
		"a time":           {Window: tlog.Window{Since: at(6), Until: at(14)}},
		"a type in a time": {Window: tlog.Window{Since: at(6), Until: at(14), Types: []string{"message"}}},
		"a room":           {Room: "room", Contents: true, Viewer: actionlog.Viewer{Owner: true}, Nonce: []byte{1, 2, 3}},
	} {
		var b bytes.Buffer
		if err := l.Bundle(t.Context(), &b, e); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r, report := judge(t, l, b.Bytes())
		if !report.OK() {
			t.Errorf("%s: %s", name, failures(report))
		}
		if len(report.Starts) != 2 || len(r.Evidence) != 2 {
			t.Errorf("%s: %d starts, %d evidences", name, len(report.Starts), len(r.Evidence))
		}
		if name == "everything" && (report.Erased != 2 || report.Withheld == 0) {
			t.Errorf("%s: %+v", name, report)
		}
		if bytes.Contains(b.Bytes(), []byte("user of room")) != (e.Viewer.Owner && e.Contents) {
			t.Errorf("%s: the user's real id", name)
		}
		var again bytes.Buffer
		if err := l.Bundle(t.Context(), &again, e); err != nil || !bytes.Equal(again.Bytes(), b.Bytes()) {
			t.Errorf("%s: a second extraction differs (%v)", name, err)
		}
	}
}

func TestBundleFromABase(t *testing.T) {
	s, l := storyLog(t, t.TempDir())
	defer s.Close()
	whole := func(base uint64) []byte {
		var b bytes.Buffer
		if err := l.Bundle(t.Context(), &b, actionlog.Extract{Base: base, Contents: true}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	_, first := judge(t, l, whole(0))
	size := l.Size()
	story(t, l)
	r, err := bundle.NewReader(bytes.NewReader(whole(size)))
	if err != nil {
		t.Fatal(err)
	}
	a, err := tlog.NewAuditor(tlog.AuditOptions{Origin: l.Origin(), LogKey: l.LogKey(), State: first.State, Contents: true})
	if err != nil {
		t.Fatal(err)
	}
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		item.Leaf, item.Addendum = bytes.Clone(item.Leaf), bytes.Clone(item.Addendum)
		if err := a.Add(item); err != nil {
			t.Fatal(err)
		}
	}
	if report := a.Finish(r.Checkpoint); !report.OK() || report.Entries != 16 {
		t.Errorf("%d entries, %s", report.Entries, failures(report))
	}
}
