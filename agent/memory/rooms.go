package memory

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/teapot-tee/teapot/actionlog"
	"github.com/teapot-tee/teapot/agent/record"
	"github.com/teapot-tee/teapot/tlog"
)

// claim is whose a room is: the user who spoke there first, until somebody has shown the room's secret; from then on it is
// the secret's. It follows from the log's messages alone, so it survives restarts and a lost file, and may be forgotten
// here at any time: strangers can name any number of rooms.
type claim struct {
	user   string // UUID; "" if the room began with a token or cannot be told: then nobody's by name
	closed bool   // only proof opens it
	fresh  bool   // nothing was said yet: there is nothing to read
	used   uint64
}

// Visitor is who wants to speak in a room.
type Visitor struct {
	User string       // UUID
	Said tlog.Speaker // how it was established: with the room's secret or a token every room is open
}

// lookBack is how many of a room's last messages are searched for one that showed the secret. Once one did, all that follow
// show it or a token.
const lookBack = 64

// claimsPerRoom is how many claims are kept for each room kept in the process: they are small.
const claimsPerRoom = 8

// Enter lets a visitor into a room, or does not. first is true once per room: of visitors that come at the same time only
// one is the first.
func (s *Store) Enter(ctx context.Context, room string, v Visitor) (first, admitted bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.claimOf(ctx, room)
	if err != nil {
		return false, false, err
	}
	if c == nil {
		c, err = s.recorded(ctx, room)
	}
	if err != nil {
		return false, false, err
	}
	if c == nil {
		s.keepClaim(room, begun(v))
		return true, true, nil
	}
	return false, proven(v.Said) || !c.closed && c.user == v.User, nil
}

// claimOf returns a room's claim, from disk if it is not at hand; nil if nobody spoke there. The caller holds mu.
func (s *Store) claimOf(ctx context.Context, room string) (*claim, error) {
	s.clock++
	for s.claims[room] == nil && !s.closed && s.waiting(room) {
		s.signal()
		s.room.Wait()
	}
	if s.closed {
		return nil, ErrClosed
	}
	c := s.claims[room]
	if c == nil {
		var err error
		if c, err = s.readClaim(ctx, room); c == nil {
			return nil, err
		}
		s.keepClaim(room, c)
	}
	c.used = s.clock
	return c, nil
}

// recorded asks the log whose a room is of which the file knows nothing: the first in a room is given the secret that opens all that
// was ever said there, so the file, from which a host can withhold rows, must not decide who that is. The caller holds mu, which is
// free meanwhile.
func (s *Store) recorded(ctx context.Context, room string) (*claim, error) {
	s.mu.Unlock()
	said := actionlog.Query{Types: []string{record.Message, record.Reply}, Room: room, Limit: 1, Viewer: actionlog.Viewer{Owner: true}}
	page, err := s.opts.Log.Query(ctx, said)
	s.mu.Lock()
	switch {
	case err != nil:
		return nil, fmt.Errorf("asking the log who spoke first: %w", err)
	case s.closed:
		return nil, ErrClosed
	case s.claims[room] != nil: // somebody else came meanwhile
		return s.claims[room], nil
	case len(page.Items) == 0:
		return nil, nil
	}
	c := &claim{closed: true} // who began it cannot be told without what is missing
	s.keepClaim(room, c)
	return c, nil
}

// waiting says whether something said in a room is not on disk yet. The caller holds mu.
func (s *Store) waiting(room string) bool {
	in := func(j job) bool { return j.item.Room == room }
	return slices.ContainsFunc(s.pending, in) || slices.ContainsFunc(s.writing, in)
}

// keepClaim keeps a claim at hand; where there is no place the longest unused half goes. The caller holds mu.
func (s *Store) keepClaim(room string, c *claim) {
	if len(s.claims) >= claimsPerRoom*s.opts.Rooms {
		s.forgetClaims()
	}
	c.used = s.clock
	s.claims[room] = c
}

func (s *Store) forgetClaims() {
	used := make([]uint64, 0, len(s.claims))
	for _, c := range s.claims {
		used = append(used, c.used)
	}
	slices.Sort(used)
	middle := used[len(used)/2]
	maps.DeleteFunc(s.claims, func(_ string, c *claim) bool { return c.used < middle })
}

func proven(s tlog.Speaker) bool { return s == tlog.SpeakerToken || s == tlog.SpeakerRoomSecret }

func begun(v Visitor) *claim {
	if proven(v.Said) {
		return &claim{closed: true, fresh: true}
	}
	return &claim{user: v.User, fresh: true}
}

// note keeps the claim of a room up with what was just said there. The caller holds mu.
func (s *Store) note(i Item) {
	c := s.claims[i.Room]
	if c == nil {
		return
	}
	c.fresh = false
	c.closed = c.closed || i.Type == record.Message && i.Said == tlog.SpeakerRoomSecret
}

// readClaim reads whose a room is from its first and its last messages, each checked against the log; nil if nobody spoke
// there. The caller holds mu.
func (s *Store) readClaim(ctx context.Context, room string) (*claim, error) {
	const messages = "SELECT idx, addendum, vector FROM items WHERE room=? AND type='message' ORDER BY idx "
	first, err := s.readRoom(ctx, room, messages+"LIMIT 1")
	if err != nil {
		return nil, err
	}
	if len(first) == 0 {
		return s.orphan(ctx, room)
	}
	last, err := s.readRoom(ctx, room, messages+"DESC LIMIT ?", lookBack)
	if err != nil {
		return nil, err
	}
	c := begun(Visitor{first[0].User, first[0].Said})
	c.fresh = false
	open := false // somebody spoke lately without proof
	for _, i := range last {
		c.closed = c.closed || i.Said == tlog.SpeakerRoomSecret
		open = open || !proven(i.Said)
	}
	c.closed = c.closed || !open
	return c, nil
}

// orphan is the claim of a room without a readable message: closed if anything else was said there, else none.
func (s *Store) orphan(ctx context.Context, room string) (*claim, error) {
	var rows int
	err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM items WHERE room=? AND type IN ('message','reply') LIMIT 1)", room).Scan(&rows)
	if err != nil || rows == 0 {
		return nil, err
	}
	return &claim{closed: true}, nil
}
