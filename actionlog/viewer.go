package actionlog

import (
	"crypto/hmac"

	"github.com/teapot-tee/teapot/tlog"
)

// Viewer says who asks. The zero Viewer is the public: it sees leaves, and contents that are public.
type Viewer struct {
	Owner bool       // holds a token of the server, or is the agent itself
	Rooms []RoomPass // rooms whose secret the asker holds
}

// RoomPass is a room's real id and the secret that came with its first message.
type RoomPass struct {
	Room   string
	Secret []byte
}

// RoomSecret is the secret that opens the whole conversation in a room. Give it out with the room's first message and
// never again for naming the room.
func (l *Log) RoomSecret(room string) []byte {
	s := tlog.RoomSecret(l.privacy[:], room)
	return s[:]
}

// HoldsRoom reports whether the viewer proved to hold the room's secret.
func (l *Log) HoldsRoom(v Viewer, room string) bool {
	for _, p := range v.Rooms {
		if p.Room == room && hmac.Equal(p.Secret, l.RoomSecret(room)) {
			return true
		}
	}
	return false
}

// For takes away what the viewer may not see. Contents for nobody outside the TEE stay inside whoever asks; of public
// contents strangers do not get the real ids.
func (l *Log) For(it Item, v Viewer) Item {
	inside := v.Owner || l.inRoom(v, it.Leaf.Room)
	switch {
	case it.State != ContentShown:
	case it.Leaf.Content.Visibility == tlog.VisibleNever,
		it.Leaf.Content.Visibility == tlog.VisibleOwner && !inside:
		it.State, it.Addendum, it.Content = ContentWithheld, nil, tlog.Disclosed{}
	case !inside:
		it.Content.Room, it.Content.User = "", ""
	}
	return it
}

func (l *Log) inRoom(v Viewer, room tlog.Pseudonym) bool {
	if room == (tlog.Pseudonym{}) {
		return false
	}
	for _, p := range v.Rooms {
		if tlog.RoomPseudonym(l.privacy[:], p.Room) == room && hmac.Equal(p.Secret, l.RoomSecret(p.Room)) {
			return true
		}
	}
	return false
}
