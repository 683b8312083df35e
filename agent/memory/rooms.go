package memory

import (
	"context"

	"github.com/teapot-tee/teapot/agent/record"
	"github.com/teapot-tee/teapot/tlog"
)

// claim is whose a room is: the user who spoke there first, until somebody has shown the room's secret; from then on it is
// the secret's. It follows from the log's messages alone, so it survives restarts and a lost file.
type claim struct {
	user   string // UUID; "" if the room began with a token or cannot be told: then nobody's by name
	closed bool   // only proof opens it
}

// Visitor is who wants to speak in a room.
type Visitor struct {
	User string       // UUID
	Said tlog.Speaker // how it was established: with the room's secret or a token every room is open
}

// lookBack is how many of a room's last messages are searched for one that showed the secret. Once one did, all that follow
// show it or a token.
const lookBack = 64

// Enter lets a visitor into a room, or does not. first is true once per room: of visitors that come at the same time only
// one is the first.
func (s *Store) Enter(ctx context.Context, room string, v Visitor) (first, admitted bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, false, ErrClosed
	}
	c, known := s.known[room]
	if !known {
		s.known[room] = begun(v.User, v.Said)
		return true, true, nil
	}
	if c == nil {
		if c, err = s.readClaim(ctx, room); err != nil {
			return false, false, err
		}
		s.known[room] = c
	}
	return false, proven(v.Said) || !c.closed && c.user == v.User, nil
}

func proven(s tlog.Speaker) bool { return s == tlog.SpeakerToken || s == tlog.SpeakerRoomSecret }

func begun(user string, said tlog.Speaker) *claim {
	if proven(said) {
		return &claim{closed: true}
	}
	return &claim{user: user}
}

// note keeps the claim of a room up with a message that was just heard. The caller holds mu.
func (s *Store) note(i Item) {
	c, known := s.known[i.Room]
	switch {
	case !known && i.Type == record.Message:
		s.known[i.Room] = begun(i.User, i.Said)
	case !known:
		s.known[i.Room] = nil
	case c != nil && i.Type == record.Message && i.Said == tlog.SpeakerRoomSecret:
		c.closed = true
	}
}

// readClaim reads whose a room is from its first and its last messages, each checked against the log. The caller holds mu.
func (s *Store) readClaim(ctx context.Context, room string) (*claim, error) {
	const messages = "SELECT idx, addendum, vector FROM items WHERE room=? AND type='message' ORDER BY idx "
	first, err := s.read(ctx, messages+"LIMIT 1", room)
	if err != nil {
		return nil, err
	}
	last, err := s.read(ctx, messages+"DESC LIMIT ?", room, lookBack)
	if err != nil {
		return nil, err
	}
	if len(first) == 0 {
		return &claim{closed: true}, nil // only replies are left, or the host withholds rows
	}
	c := begun(first[0].User, first[0].Said)
	open := false // somebody spoke lately without proof
	for _, i := range last {
		c.closed = c.closed || i.Said == tlog.SpeakerRoomSecret
		open = open || !proven(i.Said)
	}
	c.closed = c.closed || !open
	return c, nil
}
