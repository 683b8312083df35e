package tlog

import "slices"

// seen remembers type and erasure of the entries that were walked: ten bytes for each.
type seen struct {
	index []uint64 // ascending
	id    []uint8  // place in names
	mark  []uint8
	names []string
	ids   map[string]uint8
}

const (
	markClaimed = 1 << iota // its content is said to be erased
	markErased              // an erasure leaf names it
)

// maxIDs is the number of types that are told apart; a log that keeps the rules has at most MaxKinds.
const maxIDs = 255

func (s *seen) add(index uint64, kind string, claimed bool) {
	id, ok := s.ids[kind]
	if !ok {
		if s.ids == nil {
			s.ids = map[string]uint8{}
		}
		if id = maxIDs; len(s.names) < maxIDs {
			id = uint8(len(s.names))
			s.names = append(s.names, kind)
			s.ids[kind] = id
		}
	}
	mark := uint8(0)
	if claimed {
		mark = markClaimed
	}
	s.index, s.id, s.mark = append(s.index, index), append(s.id, id), append(s.mark, mark)
}

func (s *seen) find(index uint64) (int, bool) {
	if len(s.index) == 0 || index < s.index[0] {
		return 0, false
	}
	if i := index - s.index[0]; i < uint64(len(s.index)) && s.index[i] == index {
		return int(i), true
	}
	return slices.BinarySearch(s.index, index)
}

// kind returns the type of an entry that was walked.
func (s *seen) kind(index uint64) (string, bool) {
	i, ok := s.find(index)
	if !ok || s.id[i] == maxIDs {
		return "", false
	}
	return s.names[s.id[i]], true
}

// erase notes that an erasure names this entry and says whether it is the first one to do so.
func (s *seen) erase(index uint64) (first bool) {
	i, ok := s.find(index)
	if !ok {
		return true
	}
	first = s.mark[i]&markErased == 0
	s.mark[i] |= markErased
	return first
}

// unexplained yields the entries whose content is said to be erased and that no erasure names.
func (s *seen) unexplained(yield func(uint64) bool) {
	for i, m := range s.mark {
		if m == markClaimed && !yield(s.index[i]) {
			return
		}
	}
}
