package tee_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/attest/sim"
	"github.com/teapot-tee/teapot/boot"
	"github.com/teapot-tee/teapot/dcap"
	"github.com/teapot-tee/teapot/evidence"
	"github.com/teapot-tee/teapot/server/access"
	"github.com/teapot-tee/teapot/server/tee"
	"github.com/teapot-tee/teapot/tlog"
)

const (
	first  = "b850bc30-45f8-0041-a00a-83df46d8555d"
	second = "11111111-2222-4333-8444-555555555555"
	nonce  = "00112233445566778899aabbccddeeff"
)

// sidecar serves /tee/* over a simulated start of some agents, as `teapot serve` does.
func sidecar(t *testing.T, ids ...string) (*boot.Process, string) {
	t.Helper()
	dir := t.TempDir()
	attester, err := sim.New(sim.Options{Dir: dir, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	config := boot.Config{
		Dir: dir, Attester: attester, Collateral: attester, Software: evidence.Software{Name: "teapot", Version: "test"},
		Policies: boot.WeakestSafe(), Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	}
	for _, id := range ids {
		config.Agents = append(config.Agents, boot.AgentSpec{ID: id, Name: "agent " + id[:4], Character: []byte(`{"name":"x"}`)})
	}
	p, err := boot.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	mux := http.NewServeMux()
	tee.Options{Token: access.NewToken("tok"), Process: p, Quoter: attester, Agents: func() (list []tee.Agent) {
		for _, a := range p.Agents() {
			list = append(list, tee.Agent{ID: a.ID, Name: a.Name, Log: a.Log})
		}
		return list
	}}.Register(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return p, server.URL
}

func note(t *testing.T, p *boot.Process, id, text string) {
	t.Helper()
	a, _ := p.Agent(id)
	e := actionlog.Entry{Type: "app/note", Source: tlog.SourceCaller, Visibility: actionlog.VisibilityPublic, MediaType: "text/plain", Content: []byte(text)}
	if _, err := a.Log.Append(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

func ask(t *testing.T, method, url, body string) (int, map[string]json.RawMessage) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Fatalf("%s: %v: %.200s", url, err, raw)
	}
	return resp.StatusCode, members
}

type proofs struct {
	AgentID, Origin, Checkpoint string
	Entries                     []struct {
		Index uint64
		Leaf  []byte
		Proof tlog.Hashes64
	}
}

// decode reads a member.
func decode[T any](t *testing.T, raw json.RawMessage) (v T) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v: %.200s", err, raw)
	}
	return v
}

// proven checks leaves against the one checkpoint they are proven under.
func proven(t *testing.T, p proofs, leaves [][]byte) {
	t.Helper()
	c, err := tlog.ParseCheckpoint([]byte(p.Checkpoint))
	if err != nil || c.Origin != p.Origin || len(p.Entries) != len(leaves) {
		t.Fatalf("%v, %d proofs for %d leaves", err, len(p.Entries), len(leaves))
	}
	for i, e := range p.Entries {
		if err := tlog.VerifyInclusion(tlog.RecordHash(leaves[i]), e.Index, c.Size, e.Proof, c.Root); err != nil {
			t.Errorf("entry %d: %v", e.Index, err)
		}
	}
}

// extracted checks that the extract vouches for nonce, query and the exact bytes of the answer.
func extracted(t *testing.T, members map[string]json.RawMessage, name, query, checkpoint string) {
	t.Helper()
	e, err := evidence.ParseEvidence(members["extract"])
	if err != nil {
		t.Fatal(err)
	}
	x, err := evidence.ParseExtract(e.Statement)
	if err != nil {
		t.Fatal(err)
	}
	if hex.EncodeToString(x.Nonce) != nonce || !strings.HasPrefix(x.Query, query) || x.Result != evidence.Sum(members[name]) || x.Checkpoint != checkpoint {
		t.Errorf("the extract is %+v", x)
	}
	quote, err := dcap.Parse(e.Quote)
	if err != nil {
		t.Fatal(err)
	}
	if got := quote.ReportData(); got != evidence.ReportData(e.Statement) {
		t.Error("the quote is not over this statement")
	}
	if decode[string](t, members["nonce"]) != nonce {
		t.Error("the nonce is not echoed")
	}
}

func TestRowsComeWithProofsAndANonceWithAnExtract(t *testing.T) {
	p, url := sidecar(t, first)
	for _, text := range []string{"<one> & \u2028", "two", "three"} {
		note(t, p, first, text)
	}
	status, members := ask(t, "POST", url+"/tee/logs", `{"query":{"type":"app/note"},"page":1,"pageSize":2,"nonce":"`+nonce+`"}`)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, members["error"])
	}
	page := decode[struct {
		Total uint64
		Data  []struct {
			Leaf    []byte
			Content string
		}
	}](t, members["logs"])
	if page.Total != 3 || len(page.Data) != 2 || page.Data[0].Content != "<one> & \u2028" {
		t.Errorf("%+v", page)
	}
	list := decode[[]proofs](t, members["proofs"])
	proven(t, list[0], [][]byte{page.Data[0].Leaf, page.Data[1].Leaf})
	extracted(t, members, "logs", `POST /tee/logs {"page":1,"pageSize":2,"query":{"type":"app/note"}}`, list[0].Checkpoint)

	_, plain := ask(t, "POST", url+"/tee/logs", `{}`)
	if plain["attestation"] == nil || plain["proofs"] == nil || plain["nonce"] != nil || plain["extract"] != nil {
		t.Error("an answer without a nonce has an extract, or no proofs")
	}
}

func TestAgentsComeWithTheLeafThatDeclaresTheirKey(t *testing.T) {
	_, url := sidecar(t, first)
	for path, name := range map[string]string{"/tee/agents": "agents", "/tee/agents/" + first: "agent"} {
		status, members := ask(t, "GET", url+path+"?nonce="+nonce, "")
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, members["error"])
		}
		if !bytes.Contains(members[name], []byte(first)) {
			t.Errorf("%s: %s", path, members[name])
		}
		if row := bytes.Trim(members[name], "[]"); !within(decode[struct{ CreatedAt int64 }](t, row).CreatedAt) {
			t.Errorf("%s: createdAt is not the time of the start in milliseconds: %s", path, row)
		}
		list := decode[[]proofs](t, members["proofs"])
		leaf := list[0].Entries[0].Leaf
		proven(t, list[0], [][]byte{leaf})
		var l tlog.Leaf
		if err := l.Decode(leaf); err != nil || l.Type != "boot" {
			t.Errorf("%s: the leaf is a %s: %v", path, l.Type, err)
		}
		extracted(t, members, name, "GET "+path, list[0].Checkpoint)
	}
}

// within says that a time in milliseconds is of this test.
func within(millis int64) bool {
	return time.Since(time.UnixMilli(millis)).Abs() < time.Hour
}

func TestAnAnswerToANonceIsAboutOneLog(t *testing.T) {
	p, url := sidecar(t, first, second)
	note(t, p, second, "of the second")
	note(t, p, first, "of the first")
	for _, c := range []struct {
		method, path, body, say string
		status                  int
	}{
		{"POST", "/tee/logs", `{"nonce":"` + nonce + `"}`, "query.agentId", 400},
		{"GET", "/tee/agents?nonce=" + nonce, "", "/tee/agents/{id}", 400},
		{"GET", "/tee/agents/" + second + "?nonce=" + nonce, "", "", 200},
		{"POST", "/tee/logs", `{"query":{"agentId":"` + second + `"},"nonce":"` + nonce + `"}`, "", 200},
		{"POST", "/tee/logs?nonce=" + nonce, `{"query":{"agentId":"` + first + `"}}`, "", 200},
		{"POST", "/tee/logs", `{"nonce":"0011"}`, "16 to 64 bytes", 400},
		{"POST", "/tee/logs", `{"nonce":"no hex"}`, "16 to 64 bytes", 400},
		{"GET", "/tee/agents/" + first + "?nonce=zz", "", "16 to 64 bytes", 400},
		{"GET", "/tee/agents/nobody", "", "Agent not found", 404},
	} {
		status, members := ask(t, c.method, url+c.path, c.body)
		if status != c.status || c.say != "" && !strings.Contains(string(members["error"]), c.say) {
			t.Errorf("%s %s: %d %s", c.path, c.body, status, members["error"])
		}
	}
	_, both := ask(t, "POST", url+"/tee/logs", `{"query":{"type":"app/note"}}`)
	page := decode[struct{ Data []struct{ AgentID string } }](t, both["logs"])
	list := decode[[]proofs](t, both["proofs"])
	if len(page.Data) != 2 || page.Data[0].AgentID != second || len(list) != 2 || len(list[0].Entries) != 1 || len(list[1].Entries) != 1 {
		t.Errorf("%+v %+v", page, list)
	}
}

// TestPagesBeyondEveryNumber: a page times its size must not wrap around into a page that exists, or crash.
func TestPagesBeyondEveryNumber(t *testing.T) {
	p, url := sidecar(t, first, second)
	note(t, p, first, "one")
	note(t, p, second, "two")
	for _, page := range []string{`"9223372036854775807"`, `"99999999999999999999"`, `"-99999999999999999999"`, `1e300`, `-1e300`, `"4611686018427387904"`} {
		for _, size := range []string{`10`, `"9223372036854775807"`, `"4"`, `-1`} {
			for _, filter := range []string{``, `"agentId":"` + first + `"`} {
				body := `{"query":{` + filter + `},"page":` + page + `,"pageSize":` + size + `}`
				resp, err := http.Post(url+"/tee/logs", "application/json", strings.NewReader(body))
				if err != nil {
					t.Errorf("%s: %v", body, err)
					continue
				}
				var got struct {
					Logs struct {
						Page, PageSize int
						Data           []any
					}
				}
				err = json.NewDecoder(resp.Body).Decode(&got)
				_ = resp.Body.Close()
				if resp.StatusCode == http.StatusTooManyRequests {
					continue
				}
				if far := !strings.Contains(page, "-"); err != nil || resp.StatusCode != http.StatusOK || far && len(got.Logs.Data) > 0 || got.Logs.Page < 1 || got.Logs.Page > 1e9 || got.Logs.PageSize > 1000 {
					t.Errorf("%s: %d, %v, page %d of %d with %d rows", body, resp.StatusCode, err, got.Logs.Page, got.Logs.PageSize, len(got.Logs.Data))
				}
			}
		}
	}
}
