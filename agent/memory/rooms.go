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
// the secret's. The log says it, so it survives restarts, a lost file and erasures, and may be forgotten here at any time:
// strangers can name any number of rooms.
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

// lookBack is how many of a room's last messages are searched for one that showed the secret, and of its first for one that
// still says who spoke. Once one showed the secret, all that follow show it or a token.
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
		s.keepClaim(room, begun(v))
		return true, true, nil
	}
	c.closed = c.closed || v.Said == tlog.SpeakerRoomSecret
	return false, proven(v.Said) || !c.closed && c.user == v.User, nil
}

// claimOf returns a room's claim, from the log if it is not at hand; nil if nobody spoke there. The caller holds mu, which is free
// while the log is asked.
func (s *Store) claimOf(ctx context.Context, room string) (*claim, error) {
	if s.closed {
		return nil, ErrClosed
	}
	s.clock++
	if c := s.claims[room]; c != nil {
		c.used = s.clock
		return c, nil
	}
	s.mu.Unlock()
	c, err := s.recorded(ctx, room)
	s.mu.Lock()
	switch {
	case err != nil:
		return nil, fmt.Errorf("asking the log whose the room is: %w", err)
	case s.closed:
		return nil, ErrClosed
	case s.claims[room] != nil: // somebody else came meanwhile
		return s.claims[room], nil
	case c != nil:
		s.keepClaim(room, c)
	}
	return c, nil
}

// recorded asks the log whose a room is; nil if nobody spoke there. The first in a room is given the secret that opens all that
// was ever said there, and an open room tells whoever has the right name, so the file, from which a host can withhold rows and
// from which erased ones are gone, must not decide: who spoke how stands in the leaves, which stay.
func (s *Store) recorded(ctx context.Context, room string) (*claim, error) {
	said := actionlog.Query{Types: []string{record.Message, record.Reply}, Room: room, Limit: lookBack, Viewer: actionlog.Viewer{Owner: true}}
	first, err := s.opts.Log.Query(ctx, said)
	if err != nil || len(first.Items) == 0 {
		return nil, err
	}
	said.Types, said.Newest = []string{record.Message}, true
	last, err := s.opts.Log.Query(ctx, said)
	if err != nil {
		return nil, err
	}
	return claimFrom(first.Items, last.Items), nil
}

// claimFrom reads a claim from a room's first entries and its last messages. Who spoke first cannot be told once all of them are
// erased: then the room is nobody's by name.
func claimFrom(first, last []actionlog.Item) *claim {
	c := &claim{closed: true}
	i := slices.IndexFunc(first, func(i actionlog.Item) bool {
		return i.Leaf.Type == record.Message && i.State == actionlog.ContentShown
	})
	if i >= 0 {
		c = begun(Visitor{first[i].Content.User, first[i].Leaf.Speaker})
		c.fresh = false
	}
	open := false // somebody spoke lately without proof
	for _, i := range last {
		c.closed = c.closed || i.Leaf.Speaker == tlog.SpeakerRoomSecret
		open = open || !proven(i.Leaf.Speaker)
	}
	c.closed = c.closed || !open
	return c
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
