package eliza_test

import (
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/ratls"
	"github.com/teapot-tee/teapot/server/access"
	"github.com/teapot-tee/teapot/server/eliza"
	"github.com/teapot-tee/teapot/tlog"
)

// The letters are those of facts/eliza.md section 7.2: what was broken in the original, as tests. docs/eliza.md has the table,
// which TestEveryFlawHasItsTest holds against the sources.

func jsonPost(url, body string) request { return request{"POST", url, "application/json", body, false} }

type teeLogs struct {
	Logs struct {
		Page, PageSize int
		Total          uint64
		Data           []struct {
			ID, AgentID, RoomID, UserID, Type, Content, Signature string
			Timestamp                                             int64
			Withheld                                              bool
			Index                                                 uint64
			Leaf                                                  []byte
		}
	}
	Attestation string
}

func (f *fixture) logs(t *testing.T, body string, token bool) teeLogs {
	t.Helper()
	q := jsonPost("/tee/logs", body)
	q.token = token
	status, _, raw := f.do(t, q)
	var out teeLogs
	if err := json.Unmarshal(raw, &out); err != nil || status != 200 {
		t.Fatalf("%s: HTTP %d %v: %.200s", body, status, err, raw)
	}
	return out
}

// 7.1: the signature covers everything: type, content, user, time and place.
func TestFlaw71SignaturesCoverEverything(t *testing.T) {
	f := start(t)
	f.do(t, jsonPost("/"+idMark+"/message", `{"text":"a|b"}`))
	rows := f.logs(t, `{"pageSize":100}`, true).Logs.Data
	booted, _ := f.process.Agent(f.life.first.ID())
	key := booted.Part().AgentKey
	for i, row := range rows {
		var leaf tlog.Leaf
		if err := leaf.Decode(row.Leaf); err != nil {
			t.Fatal(err)
		}
		if row.Index != uint64(i) || leaf.Index != row.Index || leaf.Type != row.Type {
			t.Errorf("row %d is entry %d of type %s", i, row.Index, leaf.Type)
		}
		if row.Signature != "0x"+hex.EncodeToString(leaf.Sig[:]) || !leaf.Verify(key[:]) {
			t.Errorf("row %d: the signature does not verify", i)
		}
		row.Leaf[len(row.Leaf)/2] ^= 1
		var forged tlog.Leaf
		if forged.Decode(row.Leaf) == nil && forged.Verify(key[:]) {
			t.Errorf("row %d: a changed leaf verifies", i)
		}
	}
	if len(rows) < 4 {
		t.Errorf("only %d rows", len(rows))
	}
}

// c: the attestation covers the exact bytes of the member as it stands in the answer.
func TestFlawCAttestationCoversTheExactBytes(t *testing.T) {
	f := start(t)
	f.do(t, jsonPost("/"+idMark+"/message", `{"text":"<b>&\u2028 你好"}`))
	for _, url := range []string{"/tee/agents", "/tee/logs"} {
		q := request{"GET", url, "", "", true}
		if url == "/tee/logs" {
			q = request{"POST", url, "application/json", `{"query":{"type":"message"}}`, true}
		}
		_, _, raw := f.do(t, q)
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			t.Fatal(err)
		}
		var text string
		var attested struct{ Quote string }
		if json.Unmarshal(members["attestation"], &text) != nil || json.Unmarshal([]byte(text), &attested) != nil {
			t.Fatalf("%s: no attestation: %.100s", url, raw)
		}
		value := members["agents"]
		if value == nil {
			value = members["logs"]
		}
		bytes, err := hex.DecodeString(strings.TrimPrefix(attested.Quote, "0x"))
		if err != nil {
			t.Fatal(err)
		}
		quote, err := dcap.Parse(bytes)
		if err != nil {
			t.Fatal(err)
		}
		want := sha512.Sum512(append([]byte("app-data:"), value...))
		if got := quote.ReportData(); got != want {
			t.Errorf("%s: report data %x, want %x", url, got, want)
		}
		if url == "/tee/logs" && !strings.Contains(string(value), "<b>&\u2028 你好") {
			t.Errorf("the text is escaped: %s", value)
		}
	}
}

// f: every agent has a key and a log of its own.
func TestFlawFEveryAgentHasItsKey(t *testing.T) {
	f := start(t)
	if _, err := f.life.Start(t.Context(), parse(t, strings.Replace(tester, "Tester", "Second", 1))); err != nil {
		t.Fatal(err)
	}
	_, _, raw := f.do(t, request{method: "GET", url: "/tee/agents"})
	var out struct {
		Agents []struct{ AgentID, PublicKey, Origin string }
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Agents) != 2 || out.Agents[0].PublicKey == out.Agents[1].PublicKey || out.Agents[0].Origin == out.Agents[1].Origin {
		t.Errorf("agents: %+v", out.Agents)
	}
	if status, _, _ := f.do(t, jsonPost("/Second/message", `{"text":"hi"}`)); status != 200 {
		t.Errorf("the second agent answers HTTP %d", status)
	}
}

// h: without the token nobody reads a conversation or learns who talked.
func TestFlawHConversationsAreNotPublic(t *testing.T) {
	f := start(t)
	f.do(t, jsonPost("/"+idMark+"/message", `{"text":"my secret is 42","roomId":"r","userId":"me"}`))
	for _, row := range f.logs(t, `{"query":{"type":"message"}}`, false).Logs.Data {
		if row.Content != "" || !row.Withheld || row.RoomID == uuid.Of("r") || row.UserID == uuid.Of("me") {
			t.Errorf("a stranger sees %+v", row)
		}
	}
	if n := f.logs(t, `{"query":{"containsContent":"secret"}}`, false).Logs.Total; n != 0 {
		t.Errorf("a stranger's search finds %d entries", n)
	}
	if status, _, _ := f.do(t, jsonPost("/tee/logs", `{"query":{"roomId":"`+uuid.Of("r")+`"}}`)); status != http.StatusUnauthorized {
		t.Errorf("asking by room: HTTP %d", status)
	}
	if status, _, _ := f.do(t, request{method: "GET", url: "/agents/" + idMark + "/" + uuid.Of("r") + "/memories"}); status != http.StatusUnauthorized {
		t.Errorf("memories: HTTP %d", status)
	}
	if got := f.logs(t, `{"query":{"type":"message"}}`, true).Logs.Data; len(got) == 0 || got[0].Content != "my secret is 42" {
		t.Errorf("the operator sees %+v", got)
	}
}

// The room's secret comes with its first answer only and opens exactly that room.
func TestRoomSecretOpensTheRoom(t *testing.T) {
	f := start(t)
	secret := func(room string) string {
		_, _, raw := f.do(t, jsonPost("/"+idMark+"/message", `{"text":"hello","roomId":"`+room+`"}`))
		var list []struct{ RoomSecret string }
		if err := json.Unmarshal(raw, &list); err != nil {
			t.Fatal(err)
		}
		return list[0].RoomSecret
	}
	first, again, other := secret("one"), secret("one"), secret("two")
	if first == "" || again != "" || other == first {
		t.Fatalf("secrets %q %q %q", first, again, other)
	}
	read := func(room, secret string) int {
		req, err := http.NewRequest("GET", f.server.URL+"/agents/"+f.life.first.ID()+"/"+uuid.Of(room)+"/memories", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Teapot-Room-Secret", secret)
		resp, err := f.server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := [2]int{read("one", first), read("one", other)}; got != [2]int{200, 401} {
		t.Errorf("right and wrong secret: %v", got)
	}
}

// The room of those who name none belongs to nobody: the first to speak there must not read the others.
func TestDefaultRoomHasNoSecret(t *testing.T) {
	f := start(t)
	for _, body := range []string{
		`{"text":"first"}`, `{"text":"first","roomId":""}`, `{"text":"first","roomId":"default-room-` + idMark + `"}`, `{"text":"first","roomId":"Default-Room-x"}`,
	} {
		if _, _, raw := f.do(t, jsonPost("/"+idMark+"/message", body)); strings.Contains(string(raw), "roomSecret") {
			t.Errorf("%s: %s", body, raw)
		}
	}
}

// Strangers cannot fill the disk until the log stops.
func TestAlmostFullDiskRefusesStrangers(t *testing.T) {
	f := start(t)
	full := false
	h := eliza.New(eliza.Options{Agents: f.fleet, Token: access.NewToken("t"), Full: func() bool { return full }})
	say := func(token string) int {
		r := httptest.NewRequest(http.MethodPost, "/"+f.life.first.ID()+"/message", strings.NewReader(`{"text":"hello"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	before := say("")
	full = true
	if got := [3]int{before, say(""), say("Bearer t")}; got != [3]int{200, 503, 200} {
		t.Errorf("before, stranger, operator: %v", got)
	}
}

// p: one request never ends the process.
func TestFlawPNoRequestKills(t *testing.T) {
	f := start(t)
	multi, media := multipartBody(t)
	for _, q := range []request{
		{"POST", "/nosuch/whisper", media, multi, false},                 // killed the original
		jsonPost("/"+idMark+"/message", `{"text":"x","userId":{"a":1}}`), // killed the original
		jsonPost("/"+idMark+"/message", `{"text":["x"]}`), jsonPost("/"+idMark+"/message", `[]`), jsonPost("/"+idMark+"/message", `"x"`),
		jsonPost("/"+idMark+"/message", `{"text":"x","roomId":null,"userId":7}`), jsonPost("/"+idMark+"/message", strings.Repeat("[", 100000)),
		jsonPost("/"+idMark+"/message", `{"text":"\ud800","userId":"\ud800"}`),
		{"POST", "/" + idMark + "/message", "multipart/form-data", "x", false},
		{"POST", "/" + idMark + "/message", "multipart/form-data; boundary=b", "--b\r\n", false},
		{"POST", "/" + idMark + "/message", "text/xml", "<x/>", false},
		{"POST", "/" + idMark + "/message", "application/x-www-form-urlencoded", "%zz", false},
		jsonPost("/%00/message", `{}`), jsonPost("/tee/logs", `{"query":"x"}`), jsonPost("/tee/logs", `{"page":"x","pageSize":{}}`), jsonPost("/tee/logs", `[1]`),
		{method: "GET", url: "/agents/%2e%2e%2f"},
		{method: "GET", url: "/media/uploads/..%2f..%2fetc%2fpasswd"},
		{method: "BREW", url: "/agents"},
		jsonPost("/agents/"+idMark+"/set", `{}`), jsonPost("/agent/start", `{"characterPath":"/etc/passwd"}`),
	} {
		status, _, body := f.do(t, q)
		if status == 0 || strings.Contains(string(body), "goroutine") || strings.Contains(string(body), ".go:") {
			t.Errorf("%s %s: HTTP %d %.200s", q.method, q.url, status, body)
		}
		if status == 200 && strings.Contains(q.body, `{"a":1}`) {
			t.Errorf("an object as user id was taken: %s", body)
		}
	}
	if status, _, _ := f.do(t, jsonPost("/"+idMark+"/message", `{"text":"still there?"}`)); status != 200 {
		t.Errorf("afterwards: HTTP %d", status)
	}
}

// q: nothing changes without the token; a server's file is never read for a stranger; an invalid character removes nobody.
func TestFlawQChangesNeedTheToken(t *testing.T) {
	f := start(t)
	for _, q := range []request{
		{"POST", "/agents/" + idMark + "/set", "application/json", tester, false},
		{"POST", "/agents/" + idMark + "/stop", "", "", false},
		{"DELETE", "/agents/" + idMark, "", "", false},
		jsonPost("/agent/start", `{"characterPath":"/etc/passwd"}`),
	} {
		if status, _, _ := f.do(t, q); status != http.StatusUnauthorized {
			t.Errorf("%s %s without the token: HTTP %d", q.method, q.url, status)
		}
	}
	if status, _, _ := f.do(t, request{"POST", "/agents/" + idMark + "/set", "application/json", `{"name":"Tester"}`, true}); status != 400 {
		t.Errorf("an invalid character: HTTP %d", status)
	}
	if _, ok := f.fleet.Get("Tester"); !ok {
		t.Error("an invalid character removed the agent")
	}
	multi, media := multipartBody(t)
	if status, _, body := f.do(t, request{"POST", "/" + idMark + "/message", media, multi, false}); status != 200 {
		t.Errorf("upload: HTTP %d %s", status, body)
	}
	for _, row := range f.logs(t, `{"query":{"type":"message"}}`, true).Logs.Data {
		if strings.Contains(row.Content, "../") {
			t.Errorf("an upload's name kept its path: %s", row.Content)
		}
	}
}

// r: memories has all of a room, not the first message only.
func TestFlawRMemoriesHasAll(t *testing.T) {
	f := start(t)
	for range 3 {
		f.do(t, jsonPost("/"+idMark+"/message", `{"text":"again","roomId":"r"}`))
	}
	_, _, raw := f.do(t, request{method: "GET", url: "/agents/" + idMark + "/" + uuid.Of("r") + "/memories", token: true})
	var out struct {
		Memories []struct {
			Content   struct{ Text string }
			Embedding struct{ Data []int }
		}
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Memories) != 6 || len(out.Memories[0].Embedding.Data) != 4*384 {
		t.Errorf("%d memories, %d bytes of embedding", len(out.Memories), len(out.Memories[0].Embedding.Data))
	}
}

// v: every answer carries a proof, and its address.
func TestFlawVAnswersCarryProofs(t *testing.T) {
	f := start(t)
	_, header, raw := f.do(t, jsonPost("/"+idMark+"/message", `{"text":"hello"}`))
	var list []struct {
		Text    string
		Receipt json.RawMessage
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	r, err := tlog.ParseReceipt(list[0].Receipt)
	if err != nil {
		t.Fatal(err)
	}
	last := r.Entries[len(r.Entries)-1]
	if want := "/v1/agents/" + f.life.first.ID() + "/receipts/"; !strings.HasPrefix(header.Get(eliza.ReceiptHeader), want) || len(list[0].Receipt) > tlog.MaxReceipt {
		t.Errorf("header %q, receipt of %d bytes", header.Get(eliza.ReceiptHeader), len(list[0].Receipt))
	}
	d := tlog.Disclosed{Room: last.Room, User: last.User, Content: []byte(list[0].Text)}
	disclosed, err := d.Append(last.Salt)
	if err != nil {
		t.Fatal(err)
	}
	var leaf tlog.Leaf
	if err := leaf.Decode(last.Leaf); err != nil {
		t.Fatal(err)
	}
	if !tlog.Opens(leaf.Content.Commitment, disclosed) {
		t.Error("the receipt does not open with the text that was answered")
	}
}

func TestQuotesHaveABudget(t *testing.T) {
	f := startWith(t, func(o *eliza.Options) { o.Budget = &ratls.Budget{Burst: 2, Refill: time.Hour} })
	var got []int
	for range 3 {
		status, _, _ := f.do(t, request{method: "GET", url: "/tee/agents"})
		got = append(got, status)
	}
	if got[0] != 200 || got[1] != 200 || got[2] != http.StatusTooManyRequests {
		t.Errorf("answers %v", got)
	}
}

func TestStrangersAreLimited(t *testing.T) {
	f := startWith(t, func(o *eliza.Options) { o.Limits = eliza.Limits{Rate: 0.001, Burst: 3, Rooms: 2, Everybody: true} })
	post := func(room string, token bool) int {
		q := jsonPost("/"+idMark+"/message", `{"text":"x","roomId":"`+room+`"}`)
		q.token = token
		status, _, _ := f.do(t, q)
		return status
	}
	got := []int{post("1", false), post("2", false), post("3", false), post("1", false), post("4", true)}
	want := []int{200, 200, 429, 429, 200}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("message %d: HTTP %d, want %d (%v)", i, got[i], want[i], got)
		}
	}
	if status, _, _ := f.do(t, jsonPost("/"+idMark+"/message", `{"text":"`+strings.Repeat("x", 200<<10)+`"}`)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge body: HTTP %d", status)
	}
}

func TestStreaming(t *testing.T) {
	f := start(t)
	req, err := http.NewRequest("POST", f.server.URL+"/Tester/message", strings.NewReader(`{"text":"hello"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	resp, err := f.server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body strings.Builder
	if _, err := io.Copy(&body, resp.Body); err != nil {
		t.Fatal(err)
	}
	text := body.String()
	if !strings.Contains(text, "event: delta\ndata: {\"text\":\"Hello") || !strings.Contains(text, "event: done\ndata: {\"contents\":[{") || !strings.Contains(text, `"receipt":"/v1/agents/`) {
		t.Errorf("stream: %s", text)
	}
}
