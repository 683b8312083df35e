package memory

// Claims counts what is kept of whose rooms are.
func Claims(s *Store) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.claims)
}
