package v1_test

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/bundle"
	"github.com/teapot-tee/teapot/server/access"
	"github.com/teapot-tee/teapot/server/limit"
	v1 "github.com/teapot-tee/teapot/server/v1"
	"github.com/teapot-tee/teapot/tlog"
)

const agentID = "b850bc30-45f8-0041-a00a-83df46d8555d"

func seedKey(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// streams is how many streams the fixture allows at once.
const streams = 3

type fixture struct {
	t   *testing.T
	url string
	log *actionlog.Log
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	s, err := actionlog.Open(actionlog.Options{Dir: t.TempDir(), Platform: "simulator"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	l, err := s.OpenLog(actionlog.LogOptions{
		Agent: agentID, LogKey: seedKey(1), StorageKey: [32]byte{2}, PrivacyKey: [32]byte{3},
		Erasure: actionlog.ErasurePolicy{Requesters: []tlog.Requester{tlog.RequesterOperator}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Boot(t.Context(), actionlog.Boot{BootKey: seedKey(4), AgentKey: seedKey(5), Statement: []byte("s"), Part: []byte("p"), Evidence: []byte("e")}); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	v1.Logs{
		Agent: func(id string) (*actionlog.Log, bool) { return l, id == agentID },
		Token: access.NewToken("token"), Open: &limit.Open{Most: streams, Share: streams},
	}.Register(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return fixture{t, server.URL + "/v1/agents/" + agentID + "/", l}
}

func (f fixture) say(typ, text string, cause ...uint64) actionlog.Proof {
	f.t.Helper()
	p, err := f.log.Append(f.t.Context(), actionlog.Entry{
		Type: typ, Room: "room one", User: "alice", Source: tlog.SourceRuntime, MediaType: "text/plain", Content: []byte(text), Cause: cause,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return p[0]
}

func (f fixture) do(method, path, body string, headers ...string) (int, []byte, http.Header) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp.StatusCode, b, resp.Header
}

func (f fixture) get(path string, into any, headers ...string) {
	f.t.Helper()
	status, b, _ := f.do("GET", path, "", headers...)
	if status != http.StatusOK {
		f.t.Fatalf("GET %s: %d %s", path, status, b)
	}
	if err := json.Unmarshal(b, into); err != nil {
		f.t.Fatalf("GET %s: %v in %s", path, err, b)
	}
}

type listed struct {
	Size    uint64
	Total   uint64
	Next    string
	Entries []v1.Entry
}

func TestEntriesShowWhatTheAskerMaySee(t *testing.T) {
	f := newFixture(t)
	m := f.say("message", "a secret")
	f.say("action", "a deed", m.Index)
	var pub, own, room listed
	f.get("entries", &pub)
	f.get("entries", &own, "Authorization", "Bearer token")
	f.get("entries?room=room+one", &room, v1.RoomSecretHeader, hex.EncodeToString(f.log.RoomSecret("room one")))
	if len(pub.Entries) != 3 || pub.Size != 3 {
		t.Fatalf("%+v", pub)
	}
	if c := pub.Entries[1].Content; c.Status != "withheld" || c.Text != nil || c.Addendum != nil || c.Room != "" {
		t.Errorf("the public sees a message: %+v", c)
	}
	if c := pub.Entries[2].Content; c.Status != "disclosed" || *c.Text != "a deed" || c.Room != "" {
		t.Errorf("the public sees of an action: %+v", c)
	}
	for who, l := range map[string]v1.Entry{"owner": own.Entries[1], "room": room.Entries[0]} {
		if c := l.Content; c.Status != "disclosed" || *c.Text != "a secret" || c.Room != "room one" || c.User != "alice" {
			t.Errorf("%s sees %+v", who, c)
		}
	}
}

func TestRealIDsNeedProof(t *testing.T) {
	f := newFixture(t)
	f.say("message", "x")
	for _, path := range []string{"entries?room=room+one", "entries?user=alice", "bundle?user=alice"} {
		if status, b, _ := f.do("GET", path, ""); status != http.StatusForbidden {
			t.Errorf("%s: %d %s", path, status, b)
		}
	}
	name := tlog.RoomPseudonym([]byte{9}, "room one") // another key: no entry
	var none, some listed
	f.get("entries?room_pseudonym="+name.String(), &none)
	var all listed
	f.get("entries?type=message", &all)
	f.get("entries?room_pseudonym="+all.Entries[0].RoomName, &some)
	if len(none.Entries) != 0 || len(some.Entries) != 1 {
		t.Errorf("by pseudonym: %d and %d entries", len(none.Entries), len(some.Entries))
	}
}

func TestParametersAreStrict(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{
		"entries?from=x", "entries?type=A+B", "entries?since=yesterday", "entries?order=up", "entries?cursor=abc", "entries?room_pseudonym=xy",
		"entries/x", "proof?from=0", "proof?from=9&to=3", "tile/0/1", "tile/9/000", "bundle?nonce=zz", "bundle?contents=maybe",
	} {
		status, b, h := f.do("GET", path, "")
		var p struct{ Title, Cause, Next string }
		if err := json.Unmarshal(b, &p); status != http.StatusBadRequest || err != nil || p.Cause == "" || p.Next == "" || h.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", path, status, b)
		}
	}
	for _, path := range []string{"entries/99", "tile/0/005", "tile/0/000.p/200", "receipts/7"} {
		if status, b, _ := f.do("GET", path, ""); status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, status, b)
		}
	}
}

func TestCallersAppend(t *testing.T) {
	f := newFixture(t)
	const body = `{"type":"app/note","room":"r","user":"u","text":"hi","cause":[0],"visibility":"public"}`
	if status, _, _ := f.do("POST", "entries", body); status != http.StatusUnauthorized {
		t.Errorf("without a token: %d", status)
	}
	auth := []string{"Authorization", "Bearer token", "Idempotency-Key", "one"}
	var first v1.Entry
	for range 2 {
		status, b, _ := f.do("POST", "entries", body, auth...)
		var e v1.Entry
		if err := json.Unmarshal(b, &e); status != http.StatusCreated || err != nil {
			t.Fatalf("%d %s", status, b)
		}
		if first.Leaf != nil && !bytes.Equal(first.Leaf, e.Leaf) {
			t.Fatal("a retry was logged again")
		}
		first = e
	}
	checkEntry(t, f.log, &first)
	if first.Source != tlog.SourceCaller || first.Speaker != tlog.SpeakerClaimed || *first.Content.Text != "hi" {
		t.Errorf("%+v", first)
	}
	for _, bad := range []string{
		`{"type":"message","text":"x"}`, `{"type":"boot"}`, `{"type":"app/x","index":5}`, `{"type":"app/x","salt":"00"}`,
		`{"type":"app/x","time":1}`, `{"type":"app/x","source":"runtime"}`, `{"type":"app/x"} {}`, `[]`, ``, `{"type":"app/x","text":"a","data":"YQ=="}`,
		`{"type":"app/x","visibility":"all"}`, `{"type":"app/x","cause":[77]}`,
	} {
		if status, b, _ := f.do("POST", "entries", bad, "Authorization", "Bearer token"); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, status, b)
		}
	}
	if status, _, _ := f.do("POST", "entries", strings.Replace(body, "hi", "ho", 1), auth...); status != http.StatusConflict {
		t.Errorf("another entry under the same key: %d", status)
	}
	if f.log.Size() != 2 {
		t.Errorf("size %d, want boot leaf and one entry", f.log.Size())
	}
}

// checkEntry verifies the proof that an answer carries.
func checkEntry(t *testing.T, l *actionlog.Log, e *v1.Entry) {
	t.Helper()
	c, err := tlog.OpenCheckpoint([]byte(e.Note), l.Origin(), l.LogKey(), seedKey(4).Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.VerifyInclusion(tlog.RecordHash(e.Leaf), e.Index, c.Size, *e.Proof, c.Root); err != nil {
		t.Fatal(err)
	}
}

func TestContentAsJSON(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct{ body, text, media string }{
		{`{"type":"app/x","content":"a string"}`, "a string", "text/plain"},
		{`{"type":"app/x","content":{"b":1, "a":[2]}}`, `{"b":1, "a":[2]}`, "application/json"},
		{`{"type":"intent","content":null}`, `null`, "application/json"},
		{`{"type":"app/x","content":"x","media_type":"text/markdown"}`, "x", "text/markdown"},
	} {
		status, b, _ := f.do("POST", "entries", c.body, "Authorization", "Bearer token")
		var e v1.Entry
		if err := json.Unmarshal(b, &e); status != http.StatusCreated || err != nil || e.Content == nil || *e.Content.Text != c.text || e.Content.MediaType != c.media {
			t.Errorf("%s: %d %s", c.body, status, b)
		}
	}
	if status, _, _ := f.do("POST", "entries", `{"type":"app/x","content":"x","text":"y"}`, "Authorization", "Bearer token"); status != http.StatusBadRequest {
		t.Errorf("two contents: %d", status)
	}
}

func TestProofsAndFiles(t *testing.T) {
	f := newFixture(t)
	for i := range 300 {
		f.say("message", fmt.Sprint(i))
	}
	reply := f.say("reply", "yes", 300)
	var e v1.Entry
	f.get("entries/42", &e)
	checkEntry(t, f.log, &e)
	f.get("entries/0", &e)
	if string(e.Boot.Evidence) != "e" {
		t.Errorf("boot leaf: %+v", e.Boot)
	}
	var p struct {
		From, To uint64
		Proof    [][]byte
	}
	f.get("proof?from=100&to=301", &p)
	old, _ := f.log.Root(100)
	now, _ := f.log.Root(301)
	var hashes []tlog.Hash
	for _, h := range p.Proof {
		hashes = append(hashes, tlog.Hash(h))
	}
	if err := tlog.VerifyConsistency(100, 301, hashes, old, now); err != nil {
		t.Error(err)
	}
	_, note, _ := f.do("GET", "checkpoint", "")
	if c, err := tlog.ParseCheckpoint(note); err != nil || c.Size != 302 {
		t.Errorf("checkpoint %s: %v", note, err)
	}
	_, tile, _ := f.do("GET", "tile/0/001.p/46", "")
	_, full, h := f.do("GET", "tile/entries/000", "")
	leaves, err := tlog.SplitEntries(full)
	if len(tile) != 46*32 || err != nil || len(leaves) != 256 || !strings.Contains(h.Get("Cache-Control"), "immutable") {
		t.Errorf("tiles: %d bytes, %d leaves, %v", len(tile), len(leaves), err)
	}
	_, file, _ := f.do("GET", "entries/7/tlog-proof", "")
	pf, err := tlog.ParseProofFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pf.Verify(leaves[7]); err != nil {
		t.Error(err)
	}
	_, scitt, _ := f.do("GET", "entries/7/scitt-receipt", "")
	cr, err := tlog.ParseCOSEReceipt(scitt)
	if err != nil {
		t.Fatal(err)
	}
	if err := cr.Verify(leaves[7], f.log.LogKey()); err != nil {
		t.Error(err)
	}
	f.receipts(reply)
}

func (f fixture) receipts(reply actionlog.Proof) {
	t, path := f.t, fmt.Sprintf("receipts/%d", reply.Index)
	fetch := func(headers ...string) *tlog.Receipt {
		status, b, _ := f.do("GET", path, "", headers...)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, b)
		}
		r, err := tlog.ParseReceipt(b)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	closed, wrong := fetch(), fetch(v1.ReceiptSecretHeader, strings.Repeat("00", 32))
	open := fetch(v1.ReceiptSecretHeader, hex.EncodeToString(reply.Addendum[:tlog.SaltSize]))
	if len(closed.Entries) != 2 || closed.Entries[1].Salt != nil || wrong.Entries[1].Salt != nil {
		t.Error("a receipt without its secret opens an entry")
	}
	if string(open.Entries[1].Content) != "yes" || open.Entries[0].Index != 300 || open.Boot == nil || string(open.Evidence) != "e" {
		t.Errorf("open receipt: %+v", open)
	}
}

func TestBundleOverHTTP(t *testing.T) {
	f := newFixture(t)
	f.say("message", "x")
	f.say("action", "y")
	status, b, h := f.do("GET", "bundle?type=action&nonce=0102", "")
	if status != http.StatusOK || h.Get("Content-Type") != "application/vnd.teapot.bundle" {
		t.Fatalf("%d %s", status, h.Get("Content-Type"))
	}
	r, err := bundle.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	disclosed := 0
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if item.Status == tlog.StatusDisclosed {
			disclosed++
		}
	}
	if r.Header.Nonce != "0102" || disclosed != 1 {
		t.Errorf("header %+v, %d disclosed", r.Header, disclosed)
	}
}

func TestEventsReplayAndFollow(t *testing.T) {
	f := newFixture(t)
	f.say("message", "before")
	req, err := http.NewRequestWithContext(t.Context(), "GET", f.url+"events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Last-Event-ID", "0")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	f.say("action", "after")
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	var got []uint64
	for lines.Scan() && len(got) < 2 {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var e v1.Entry
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				t.Fatal(err)
			}
			checkEntry(t, f.log, &e)
			got = append(got, e.Index)
		}
	}
	if fmt.Sprint(got) != "[1 2]" {
		t.Errorf("events %v", got)
	}
}

// A stream holds memory for as long as its reader likes, and one connection carries many: strangers get as many as fit.
func TestStreamsAreBounded(t *testing.T) {
	f := newFixture(t)
	open := func(path string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), "GET", f.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	for i := range streams {
		if resp := open("events"); resp.StatusCode != http.StatusOK {
			t.Fatalf("stream %d: %d", i, resp.StatusCode)
		}
	}
	for _, path := range []string{"events", "bundle"} {
		if resp := open(path); resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
			t.Errorf("one %s too many: %d", path, resp.StatusCode)
		}
	}
	if resp := open("entries"); resp.StatusCode != http.StatusOK {
		t.Errorf("entries: %d", resp.StatusCode)
	}
}

func TestEraseOverHTTP(t *testing.T) {
	f := newFixture(t)
	m := f.say("message", "forget me")
	body := fmt.Sprintf(`{"targets":[%d],"requester":"operator","reason":"asked"}`, m.Index)
	if status, _, _ := f.do("POST", "erasures", body); status != http.StatusUnauthorized {
		t.Errorf("without a token: %d", status)
	}
	status, b, _ := f.do("POST", "erasures", body, "Authorization", "Bearer token")
	var e v1.Entry
	if err := json.Unmarshal(b, &e); status != http.StatusCreated || err != nil || e.Erasure == nil || e.Erasure.Targets[0].Index != m.Index {
		t.Fatalf("%d %s", status, b)
	}
	f.get(fmt.Sprintf("entries/%d", m.Index), &e, "Authorization", "Bearer token")
	if e.Content.Status != "erased" || *e.Content.ErasedBy != 2 || e.Content.Addendum != nil {
		t.Errorf("%+v", e.Content)
	}
	if status, b, _ := f.do("POST", "erasures", `{"targets":[0],"requester":"operator","reason":"x"}`, "Authorization", "Bearer token"); status != http.StatusConflict {
		t.Errorf("a boot leaf: %d %s", status, b)
	}
}
