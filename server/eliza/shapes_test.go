package eliza_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/teapot-tee/teapot/agent"
	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/server"
	"github.com/teapot-tee/teapot/server/access"
	"github.com/teapot-tee/teapot/server/eliza"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shape is one recorded answer of the original.
type shape struct {
	Label, Method, URL string
	Status             int
	Type               *string `json:"content_type"`
	Answer             any
}

func shapes(t *testing.T) map[string]shape {
	t.Helper()
	dir := os.Getenv("TEAPOT_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	data, err := os.ReadFile(filepath.Join(dir, "vectors/rest-shapes.json"))
	if err != nil {
		t.Skipf("the shared vectors are not here: %v", err)
	}
	var list []shape
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	out := map[string]shape{}
	for _, s := range list {
		out[s.Label] = s
	}
	return out
}

// request is what the original was sent, with our agent's id for {id}.
type request struct {
	method, url, contentType, body string
	token                          bool
}

const idMark = "{id}"

// requests has one entry for each recorded answer.
func requests(t *testing.T) map[string]request {
	post := func(url, body string) request { return request{"POST", url, "application/json", body, true} }
	get := func(url string) request { return request{method: "GET", url: url, token: true} }
	multi, media := multipartBody(t)
	other := `{"name":"Other","modelProvider":"llama_local","bio":"b","lore":[],"messageExamples":[],"postExamples":[],"topics":[],"adjectives":[],"clients":[],"plugins":[],"style":{"all":[],"chat":[],"post":[]}}`
	id2 := uuid.Of("Other")
	return map[string]request{
		"root": get("/"), "hello": get("/hello"), "agents": get("/agents"), "storage": get("/storage"), "agent": get("/agents/" + idMark),
		"agent bad id": get("/agents/nope"), "agent unknown": get("/agents/00000000-0000-0000-0000-000000000000"),
		"message json": post("/"+idMark+"/message", `{"text":"hello","userId":"u1","roomId":"r1"}`), "message by name": post("/tester/message", `{"text":"hello"}`),
		"message multipart":  {"POST", "/" + idMark + "/message", media, multi, false},
		"message urlencoded": {"POST", "/" + idMark + "/message", "application/x-www-form-urlencoded", "text=hello&userId=u", false},
		"message empty":      post("/"+idMark+"/message", `{"text":""}`), "message unknown agent": post("/nosuch/message", `{"text":"x"}`),
		"bad json": post("/"+idMark+"/message", `{bad`), "message with CONTINUE action": post("/"+idMark+"/message", `{"text":"go on"}`),
		"message with REMOTE_ATTESTATION action": post("/"+idMark+"/message", `{"text":"prove that you are in a TEE"}`),
		"memories":                               get("/agents/" + idMark + "/" + uuid.Of("r1") + "/memories"), "memories bad room": get("/agents/" + idMark + "/xyz/memories"),
		"tee agents": get("/tee/agents"), "tee agent": get("/tee/agents/" + idMark), "tee agent unknown": get("/tee/agents/xyz"),
		"tee logs": post("/tee/logs", `{"query":{"agentId":"`+idMark+`"},"page":1,"pageSize":5}`), "tee logs no body": post("/tee/logs", ``),
		"tee logs page 2": post("/tee/logs", `{"page":2,"pageSize":2}`), "tee logs LIKE wildcard": post("/tee/logs", `{"query":{"containsContent":"h%o"}}`),
		"tee logs string ts": post("/tee/logs", `{"query":{"startTimestamp":"1000"}}`), "tee logs page 0 size -1": post("/tee/logs", `{"page":0,"pageSize":-1}`),
		"tee logs object filter": post("/tee/logs", `{"query":{"agentId":{"a":1}}}`), "verifiable agents (plugin absent)": get("/verifiable/agents"),
		"tee agents with 2 agents": get("/tee/agents"), "tee agent 2": get("/tee/agents/" + id2),
		"set invalid": post("/agents/"+id2+"/set", `{"name":"Other"}`), "agents after invalid set": get("/agents"),
		"set valid": post("/agents/"+id2+"/set", other), "agent/start json": post("/agent/start", `{"characterJson":`+strings.Replace(other, "Other", "Third", 1)+`}`),
		"agent/start none": post("/agent/start", `{}`), "stop": post("/agents/"+uuid.Of("Third")+"/stop", ""), "stop unknown": post("/agents/zzz/stop", ""),
		"delete": {"DELETE", "/agents/" + id2, "", "", true}, "delete unknown": {"DELETE", "/agents/" + id2, "", "", true},
		"image (unknown agent)": post("/zzz/image", `{}`), "whisper no file": post("/"+idMark+"/whisper", ``), "speak no text": post("/"+idMark+"/speak", `{}`),
		"tts no key": post("/"+idMark+"/tts", `{"text":"say"}`), "options": {"OPTIONS", "/agents", "", "", false}, "404": get("/no/such/route"),
	}
}

func multipartBody(t *testing.T) (body, media string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	w.WriteField("text", "hello with a file")
	f, err := w.CreateFormFile("file", "../../etc/passwd")
	if err != nil {
		t.Fatal(err)
	}
	f.Write([]byte("content"))
	w.Close()
	return b.String(), w.FormDataContentType()
}

// differs lists where we answer another status than the recorded one. docs/eliza.md gives the reasons.
var differs = map[string]int{
	"tee agent 2": 200, // the second agent never registered its key
	"tts no key":  501, // no speech service, with or without a key
}

// dropped are members that leaked.
var dropped = map[string]bool{"stack": true}

// order is the order in which state changes.
var order = []string{
	"root", "hello", "agents", "storage", "agent", "agent bad id", "agent unknown", "message json", "message by name", "message multipart",
	"message urlencoded", "message empty", "message unknown agent", "bad json", "message with CONTINUE action",
	"message with REMOTE_ATTESTATION action", "memories", "memories bad room", "tee agents", "tee agent", "tee agent unknown", "tee logs",
	"tee logs no body", "tee logs page 2", "tee logs LIKE wildcard", "tee logs string ts", "tee logs page 0 size -1", "tee logs object filter",
	"verifiable agents (plugin absent)", "set invalid", "agents after invalid set", "set valid", "tee agents with 2 agents", "tee agent 2",
	"agent/start json", "agent/start none", "stop", "stop unknown", "delete", "delete unknown", "image (unknown agent)", "whisper no file",
	"speak no text", "tts no key", "options", "404",
}

func TestRecordedShapes(t *testing.T) {
	recorded, sent := shapes(t), requests(t)
	for label := range recorded {
		if _, ok := sent[label]; !ok {
			t.Errorf("no request for %q", label)
		}
	}
	f := start(t)
	for _, label := range order {
		want, req := recorded[label], sent[label]
		status, header, body := f.do(t, req)
		if s, ok := differs[label]; ok {
			want.Status = s
		}
		if status != want.Status {
			t.Errorf("%s: status %d, recorded %d: %.300s", label, status, want.Status, body)
			continue
		}
		if want.Type != nil && header.Get("Content-Type") != *want.Type {
			t.Errorf("%s: type %q, recorded %q", label, header.Get("Content-Type"), *want.Type)
		}
		if differs[label] == 200 {
			continue
		}
		compare(t, label, want.Answer, body)
	}
}

func compare(t *testing.T, label string, want any, body []byte) {
	t.Helper()
	if text, ok := want.(string); ok {
		if text != "string" && text != string(body) {
			t.Errorf("%s: %q, recorded %q", label, body, text)
		}
		return
	}
	var got any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Errorf("%s: no JSON: %v: %.200s", label, err, body)
		return
	}
	fits(t, label, want, got)
}

// fits checks that everything recorded is there with its type; more members are allowed.
func fits(t *testing.T, path string, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case string:
		kinds := map[string]string{"string": "string", "number": "float64", "bool": "bool", "object (the character)": "map"}
		if kind := kindOf(got); kind != kinds[want] {
			t.Errorf("%s: %s, recorded %s", path, kind, want)
		}
	case []any:
		list, ok := got.([]any)
		if !ok || len(want) > 0 && len(list) == 0 && !strings.HasSuffix(path, "attachments") {
			t.Errorf("%s: %v, recorded a list of %d", path, got, len(want))
			return
		}
		if len(want) > 0 && len(list) > 0 {
			fits(t, path+"[0]", want[0], list[0])
		}
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: %T, recorded an object", path, got)
			return
		}
		for name, v := range want {
			member, has := object[name]
			if has == dropped[name] {
				t.Errorf("%s.%s: there %v", path, name, has)
			} else if has {
				fits(t, path+"."+name, v, member)
			}
		}
	}
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case float64:
		return "float64"
	case bool:
		return "bool"
	case map[string]any:
		return "map"
	}
	return "other"
}

// fixture is a whole process: simulator, logs, agents, HTTP.
type fixture struct {
	dir      string
	attester *counted
	skew     atomic.Int64 // nanoseconds that the host's clock is wrong
	process  *boot.Process
	fleet    *agent.Fleet
	server   *httptest.Server
	life     *lifecycle
	options  eliza.Options
}

const token = "open sesame"

func (f *fixture) now() time.Time { return time.Now().Add(time.Duration(f.skew.Load())) }

func start(t *testing.T) *fixture { return startWith(t, nil) }

func startWith(t testing.TB, change func(*eliza.Options)) *fixture {
	t.Helper()
	f := &fixture{dir: t.TempDir(), fleet: &agent.Fleet{}}
	attester, err := sim.New(sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f.attester = &counted{Attester: attester}
	f.life = newLifecycle(t, f, f.attester)
	f.options = eliza.Options{
		Agents: f.fleet, Token: access.NewToken(token), Process: f.process, Quoter: f.attester, Lifecycle: f.life,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if change != nil {
		change(&f.options)
	}
	f.server = httptest.NewServer(server.Protect(eliza.New(f.options), f.options.Logger))
	t.Cleanup(f.server.Close)
	return f
}

func (f *fixture) do(t *testing.T, q request) (int, http.Header, []byte) {
	t.Helper()
	id := f.life.first.ID()
	req, err := http.NewRequest(q.method, f.server.URL+strings.ReplaceAll(q.url, idMark, id), strings.NewReader(strings.ReplaceAll(q.body, idMark, id)))
	if err != nil {
		t.Fatal(err)
	}
	if q.contentType != "" {
		req.Header.Set("Content-Type", q.contentType)
	}
	if q.token {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := f.server.Client().Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", q.method, q.url, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, body
}
