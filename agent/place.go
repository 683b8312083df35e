package agent

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent/memory"
	"github.com/teapot-tee/teapot/agent/uuid"
	"github.com/teapot-tee/teapot/tlog"
)

// ErrSecret is a secret that opens none of the rooms that the sender may mean. Taking the message all the same would let
// them believe that they are where they are not.
var ErrSecret = errors.New("this secret opens no room of that name")

// place decides in which room a message is said (docs/decisions/0061). A name in a request is a claim, so naming a room opens
// it only to the one who spoke there first, and nobody without its secret once that was shown. Everybody else who names it
// is in a room of their own, and hears, changes and reads nothing of the other.
func (a *Agent) place(ctx context.Context, in *In) (first bool, err error) {
	if in.Speaker != tlog.SpeakerToken {
		start := in.Room
		if in.Peer != "" {
			start = a.beside(in.Room, "peer "+in.Peer)
		}
		if room, held := a.held(start, in); held {
			start, in.Speaker = room, tlog.SpeakerRoomSecret
		} else if len(in.Secret) > 0 {
			return false, ErrSecret
		}
		in.Room = start
	}
	for range maxBeside {
		first, admitted, err := a.config.Memory.Enter(ctx, in.Room, memory.Visitor{User: in.User, Said: in.Speaker})
		if err != nil || admitted {
			return first, err
		}
		in.Room = a.beside(in.Room, "user "+in.User)
	}
	var fresh [16]byte
	_, _ = rand.Read(fresh[:]) // never fails (crypto/rand)
	in.Room = uuid.FromBytes(fresh)
	first, _, err = a.config.Memory.Enter(ctx, in.Room, memory.Visitor{User: in.User, Said: in.Speaker})
	return first, err
}

// maxBeside is how many rooms one user may have closed before another of theirs is not looked for.
const maxBeside = 8

// held finds the room that the sender's secret opens, among those that the sender's names may mean.
func (a *Agent) held(start string, in *In) (string, bool) {
	if len(in.Secret) == 0 {
		return "", false
	}
	room := start
	for range maxBeside {
		if a.holds(room, in.Secret) {
			return room, true
		}
		room = a.beside(room, "user "+in.User)
	}
	for _, room := range []string{in.Room, strings.ToLower(in.Given)} {
		if uuid.Valid(room) && a.holds(room, in.Secret) {
			return room, true
		}
	}
	return "", false
}

func (a *Agent) holds(room string, secret []byte) bool {
	return a.HoldsRoom(actionlog.Viewer{Rooms: []actionlog.RoomPass{{Room: room, Secret: secret}}}, room)
}

// beside is the room of somebody who names a room that is another's: always the same for the same person, and found by
// nobody without the log's keys.
func (a *Agent) beside(room, who string) string {
	mac := hmac.New(sha256.New, a.RoomSecret(room))
	mac.Write([]byte("teapot/beside/v1\x00" + who))
	return uuid.FromBytes([16]byte(mac.Sum(nil)[:16]))
}
