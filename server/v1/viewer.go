package v1

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/server/problem"
	"github.com/teapot-tee/teapot/tlog"
)

// RoomSecretHeader carries, in hex, the secret of the room named by the parameter room.
const RoomSecretHeader = "Teapot-Room-Secret"

// ReceiptSecretHeader carries, in hex, the salt of an entry whose receipt the asker holds.
const ReceiptSecretHeader = "Teapot-Receipt-Secret"

// viewer says who asks.
func (s Logs) viewer(r *http.Request) actionlog.Viewer {
	v := actionlog.Viewer{Owner: s.Token.Authorized(r)}
	room := r.URL.Query().Get("room")
	if secret, err := hex.DecodeString(r.Header.Get(RoomSecretHeader)); err == nil && len(secret) > 0 && room != "" {
		v.Rooms = append(v.Rooms, actionlog.RoomPass{Room: room, Secret: secret})
	}
	return v
}

// mayName reports whether the asker may filter by real ids, and answers if not.
func (s Logs) mayName(w http.ResponseWriter, r *http.Request, l *actionlog.Log, v actionlog.Viewer) bool {
	q := r.URL.Query()
	if v.Owner || (q.Get("user") == "" && (q.Get("room") == "" || l.HoldsRoom(v, q.Get("room")))) {
		return true
	}
	problem.Write(w, http.StatusForbidden, "real ids need a token or the room's secret",
		"whoever may ask by a real id learns whether it is in the log", "filter by room_pseudonym or user_pseudonym as leaves show them, or authenticate")
	return false
}

// params reads query parameters and remembers the first one that is malformed.
type params struct {
	url.Values
	bad string
}

func (p *params) fail(name, want string) {
	if p.bad == "" {
		p.bad = name + ": want " + want
	}
}

func (p *params) number(name string) uint64 {
	text := p.Get(name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 53)
	if err != nil {
		p.fail(name, "a plain number")
	}
	return n
}

// time reads RFC 3339 or microseconds since 1970.
func (p *params) time(name string) time.Time {
	text := p.Get(name)
	if text == "" {
		return time.Time{}
	}
	if us, err := strconv.ParseInt(text, 10, 54); err == nil {
		return time.UnixMicro(us)
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		p.fail(name, "RFC 3339 time or microseconds since 1970")
	}
	return t
}

func (p *params) types() []string {
	for _, t := range p.Values["type"] {
		if !tlog.ValidType(t) {
			p.fail("type", "an entry type")
		}
	}
	return p.Values["type"]
}

func (p *params) pseudonym(name string) tlog.Pseudonym {
	text := p.Get(name)
	if text == "" {
		return tlog.Pseudonym{}
	}
	out, err := tlog.ParsePseudonym(text)
	if err != nil {
		p.fail(name, "32 lower-case hex digits")
	}
	return out
}

func (p *params) oneOf(name string, words ...string) string {
	text := p.Get(name)
	for _, w := range words {
		if text == w {
			return text
		}
	}
	p.fail(name, "one of "+strconv.Quote(words[len(words)-1])+" …")
	return ""
}
