package memory

import (
	"slices"
	"strings"

	"github.com/teapot-tee/teapot/agent/embed"
)

// Found is an item with its similarity to the query, 1 the same.
type Found struct {
	Item
	Score float64
}

// Query says what to search: exact scan, which is enough for what one agent knows.
type Query struct {
	Type   string // record.Memory or record.Knowledge
	Kind   string // of a memory: "facts", "goals"; "" = all
	Room   string // "" = all rooms
	Vector []float32
	Text   string // words that count besides the vector
	Limit  int
	Least  float64 // least score
}

// Search returns the most similar items, best first.
func (s *Store) Search(q Query) []Found {
	s.mu.Lock()
	items := slices.Clone(s.indexed)
	s.mu.Unlock()
	var found []Found
	for _, i := range items {
		if q.Type != "" && i.Type != q.Type || q.Kind != "" && i.Kind != q.Kind || q.Room != "" && i.Room != q.Room {
			continue
		}
		score := embed.Cosine(q.Vector, i.Vector)
		if q.Text != "" && strings.Contains(strings.ToLower(i.Text), strings.ToLower(q.Text)) {
			score = max(score, 0.99)
		}
		if score >= q.Least {
			found = append(found, Found{i, score})
		}
	}
	slices.SortStableFunc(found, func(a, b Found) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	return found[:min(len(found), q.Limit)]
}

// All returns every memory of a kind in a room, oldest first.
func (s *Store) All(kind, room string) (list []Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.indexed {
		if i.Kind == kind && (room == "" || i.Room == room) {
			list = append(list, i)
		}
	}
	return list
}

// Has says whether there is anything of a type to search.
func (s *Store) Has(kind string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.indexed, func(i Item) bool { return i.Type == kind })
}

// Of returns everything of a type that is searched, oldest first.
func (s *Store) Of(kind string) (list []Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.indexed {
		if i.Type == kind {
			list = append(list, i)
		}
	}
	return list
}

// Keep takes what is not wanted out of the search, in the process only.
func (s *Store) Keep(kind string, wanted func(Item) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.indexed = slices.DeleteFunc(s.indexed, func(i Item) bool { return i.Type == kind && !wanted(i) })
}
