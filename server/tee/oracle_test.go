package tee_test

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/tlog"
)

// A stranger who sends any secret beside a room's pseudonym must not learn whose pseudonym a user's is.
func TestNoSecretOpensAQuestionAboutARealUser(t *testing.T) {
	p, url := sidecar(t, first)
	a, _ := p.Agent(first)
	said := actionlog.Entry{Type: "app/note", Source: tlog.SourceCaller, Room: "her room", User: "alice", Speaker: tlog.SpeakerClaimed, MediaType: "text/plain", Content: []byte("x")}
	proof, err := a.Log.Append(t.Context(), said)
	if err != nil {
		t.Fatal(err)
	}
	item, err := a.Log.Entry(t.Context(), proof[0].Index)
	if err != nil {
		t.Fatal(err)
	}
	pseudonym := item.Leaf.Room.String()
	for name, c := range map[string]struct {
		room, secret string
		rows         int
	}{
		"any secret beside a pseudonym":                     {pseudonym, "00", 0},
		"the right secret of a room named as the pseudonym": {pseudonym, hex.EncodeToString(a.Log.RoomSecret(pseudonym)), 0},
		"a secret of another room":                          {"her room", hex.EncodeToString(a.Log.RoomSecret("mine")), 0},
		"the secret of the room":                            {"her room", hex.EncodeToString(a.Log.RoomSecret("her room")), 1},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/tee/logs", strings.NewReader(`{"query":{"roomId":"`+c.room+`","userId":"alice"}}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Teapot-Room-Secret", c.secret)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Logs struct {
				Total int
				Data  []json.RawMessage
			}
		}
		err = json.NewDecoder(resp.Body).Decode(&answer)
		resp.Body.Close()
		if err != nil || answer.Logs.Total != c.rows || len(answer.Logs.Data) != c.rows {
			t.Errorf("%s: %v, total %d, %d rows, want %d", name, err, answer.Logs.Total, len(answer.Logs.Data), c.rows)
		}
	}
}
