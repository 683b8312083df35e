package actionlog

import "github.com/teapot-tee/teapot/tlog"

// memo remembers the inner hashes that the proofs of one commit share. It is for one goroutine.
type memo struct {
	hashes *tlog.Hashes
	known  map[node]tlog.Hash
}

type node struct {
	level uint
	index uint64
}

func newMemo(h *tlog.Hashes) *memo { return &memo{h, make(map[node]tlog.Hash, 64)} }

// ReadHash implements tlog.HashReader.
func (m *memo) ReadHash(level uint, index uint64) (tlog.Hash, error) {
	if level%4 == 0 { // stored, cheaper than the map
		return m.hashes.ReadHash(level, index)
	}
	at := node{level, index}
	if h, ok := m.known[at]; ok {
		return h, nil
	}
	h, err := m.hashes.ReadHash(level, index)
	if err == nil {
		m.known[at] = h
	}
	return h, err
}
