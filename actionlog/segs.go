package actionlog

import (
	"encoding/binary"
	"sort"
	"sync/atomic"

	"github.com/teapot-tee/teapot/actionlog/segment"
)

// seg is one segment and where its frames lie: eight bytes a frame, so that a slow log with one entry per frame costs
// little. Fields but keys are guarded by Log.mu.
type seg struct {
	head   segment.Header
	reader *segment.Reader
	keys   atomic.Pointer[segment.ContentKeys]
	first  []uint32 // index of each frame's first entry, less head.First
	offset []uint32 // of each frame in the file, in units of 16 bytes
	end    int64    // of the last frame
}

func newSeg(r *segment.Reader, keys *segment.ContentKeys) *seg {
	s := &seg{head: r.Header(), reader: r}
	s.keys.Store(keys)
	return s
}

func (s *seg) add(first uint64, p segment.Place) {
	s.first = append(s.first, uint32(first-s.head.First))
	s.offset = append(s.offset, uint32(p.Offset/16))
	s.end = p.Offset + int64(p.Length)
}

// frameOf returns the number of the frame that holds an entry.
func (s *seg) frameOf(index uint64) int {
	rel := uint32(index - s.head.First)
	return sort.Search(len(s.first), func(i int) bool { return s.first[i] > rel }) - 1
}

func (s *seg) place(frame int) segment.Place {
	at, end := int64(s.offset[frame])*16, s.end
	if frame+1 < len(s.offset) {
		end = int64(s.offset[frame+1]) * 16
	}
	return segment.Place{Offset: at, Length: int(end - at)}
}

// locate returns the segment and place of an entry below the acknowledged size.
func (l *Log) locate(index uint64) (*seg, segment.Place, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	i := sort.Search(len(l.segs), func(i int) bool { return l.segs[i].head.First > index }) - 1
	if i < 0 || index >= l.head.Load().size {
		return nil, segment.Place{}, false
	}
	s := l.segs[i]
	return s, s.place(s.frameOf(index)), true
}

// countOf reads the number of entries of a payload.
func countOf(payload []byte) int { return int(binary.BigEndian.Uint16(payload[9:])) }
