package legacy

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncruces/go-sqlite3"
)

type entry struct {
	AgentID, RoomID, UserID, Type, Content string
	Timestamp                              json.Number
}

func (e entry) row(id, signature string) Row {
	return Row{id, e.AgentID, e.RoomID, e.UserID, e.Type, e.Content, e.Timestamp.String(), signature}
}

type vectors struct {
	Key     string `json:"public_key_compressed"`
	Entries []struct {
		Entry        entry
		Message      string
		Z, Signature string
	}
	Tampered []struct {
		Name      string
		Entry     entry
		Signature string
		Verifies  bool `json:"elliptic_verifies"`
	}
	Forged struct {
		Entry     entry
		Signature string
		Z         string
	} `json:"forged_without_private_key"`
}

func load(t *testing.T) vectors {
	t.Helper()
	dir := os.Getenv("TEAPOT_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	b, err := os.ReadFile(filepath.Join(dir, "vectors", "eliza.json"))
	if err != nil {
		t.Skip("no shared vectors here:", err)
	}
	var all struct {
		V vectors `json:"tee_log_signatures"`
	}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	return all.V
}

func TestSignedNumberIsElliptics(t *testing.T) {
	v := load(t)
	for i, e := range v.Entries {
		row := e.Entry.row(fmt.Sprint(i), e.Signature)
		if row.message() != e.Message {
			t.Errorf("entry %d: message %q, want %q", i, row.message(), e.Message)
		}
		z, _ := signed(e.Message)
		if got := fmt.Sprintf("%064x", z); got != e.Z {
			t.Errorf("entry %d: z %s, want %s", i, got, e.Z)
		}
		if ok, err := verifies(z, e.Signature, v.Key); !ok || err != nil {
			t.Errorf("entry %d: the genuine signature does not fit: %v", i, err)
		}
	}
}

func TestTamperedRowsFitAsEllipticSays(t *testing.T) {
	v := load(t)
	if len(v.Tampered) == 0 {
		t.Fatal("no vectors")
	}
	for _, c := range v.Tampered {
		f := judge(ptr(c.Entry.row("x", c.Signature)), []string{v.Key})
		if (f.Signature == fits) != c.Verifies {
			t.Errorf("%s: %s, elliptic says %v", c.Name, f.Signature, c.Verifies)
		}
	}
}

func ptr(r Row) *Row { return &r }

func TestForgedRowIsWorthless(t *testing.T) {
	v := load(t)
	f := judge(ptr(v.Forged.Entry.row("x", v.Forged.Signature)), []string{v.Key})
	if f.Signature != fits || !f.Worthless || f.Covers != "nothing" || len(f.NotCovered) != 6 {
		t.Errorf("%+v", f)
	}
}

func TestCoverageInWords(t *testing.T) {
	v := load(t)
	f := judge(ptr(v.Entries[0].Entry.row("x", v.Entries[0].Signature)), []string{v.Key})
	if f.Covers != "agentId, the first 27 characters of roomId, each character folded to four bits" || f.Worthless {
		t.Errorf("%+v", f)
	}
	if got := strings.Join(f.NotCovered, " "); got != "roomId (rest) userId type content timestamp" {
		t.Errorf("not covered: %s", got)
	}
}

func TestAuditOfADatabase(t *testing.T) {
	v := load(t)
	path := filepath.Join(t.TempDir(), "tee_log.sqlite")
	conn, err := sqlite3.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	err = conn.Exec(`CREATE TABLE tee_logs(id TEXT PRIMARY KEY, agentId TEXT, roomId TEXT, userId TEXT, type TEXT, content TEXT NOT NULL, timestamp TIMESTAMP, signature TEXT NOT NULL);
CREATE TABLE tee_agents(id TEXT PRIMARY KEY, agentId TEXT, agentName TEXT, createdAt TIMESTAMP, publicKey TEXT, attestation TEXT)`)
	if err != nil {
		t.Fatal(err)
	}
	insert := func(r Row) {
		s, _, err := conn.Prepare("INSERT INTO tee_logs VALUES(?,?,?,?,?,?,CAST(? AS INTEGER),?)")
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range []string{r.ID, r.Agent, r.Room, r.User, r.Type, r.Content, r.Timestamp, r.Signature} {
			if err := s.BindText(i+1, x); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Exec(); err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	e := v.Entries[0]
	insert(e.Entry.row("genuine", e.Signature))
	insert(v.Forged.Entry.row("forged", v.Forged.Signature))
	insert(Row{"orphan", "nobody", "r", "u", "t", "c", "5", e.Signature})
	insert(Row{"broken", e.Entry.AgentID, "other room", "u", "t", "c", "6", e.Signature})
	if err := conn.Exec("INSERT INTO tee_agents VALUES('1','" + e.Entry.AgentID + "','A',1,'" + v.Key + "','{}')"); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	r, err := AuditFile(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range r.Rows {
		got[f.ID] = fmt.Sprint(f.Signature, " ", f.Worthless)
	}
	want := map[string]string{"genuine": "fits false", "forged": "fits true", "orphan": "no key true", "broken": "does not fit true"}
	if fmt.Sprint(got) != fmt.Sprint(want) || r.Total != 4 || r.Worthless != 3 || r.Fit != 2 {
		t.Errorf("%v\n%+v", got, r)
	}
	if _, err := AuditFile(filepath.Join(t.TempDir(), "none.sqlite"), nil); err == nil {
		t.Error("a missing file was audited")
	}
	os.WriteFile(path, []byte("not a database, not at all, no"), 0o600)
	if _, err := AuditFile(path, nil); err == nil {
		t.Error("a text was audited as a database")
	}
}

func TestAnEmptyListIsAList(t *testing.T) {
	short := Row{ID: "8", Agent: "Agent", Room: "r", User: "u", Type: "t", Content: "c", Timestamp: "1", Signature: "0x00"}
	b, err := json.Marshal(judge(&short, nil))
	if err != nil || !strings.Contains(string(b), `"not_covered":[]`) {
		t.Errorf("%s, %v", b, err)
	}
}
