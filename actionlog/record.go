package actionlog

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/teapot-tee/teapot/tlog"
)

// What a frame's payload holds (docs/formats/segment.md): u8 version 1, u64 index of the first entry, u16 number of
// entries, the entries, u16 length of the checkpoint, the checkpoint (only in the last frame of a group, else empty).
// An entry: u8 form, u16 leaf length, leaf, [16-byte idempotency tag, 16-byte request digest], [48-byte wrapped key],
// u32 content length, content.
const (
	payloadVersion = 1
	frameTarget    = 32 << 10 // a frame takes entries until it has this many bytes: what one entry's reader must decrypt
	maxPerFrame    = 1 << 14

	contentNone   = 0
	contentSealed = 1 // content is an addendum, sealed under a key of its own
	contentClear  = 2 // public bytes of a boot leaf: statement, part, evidence, each u32 length and bytes
	contentMask   = 3
	withIdem      = 4
	wrapSize      = 48
)

// stored is one entry as its frame holds it.
type stored struct {
	leaf    []byte
	form    byte
	idem    [16]byte // HMAC of the idempotency key
	request [16]byte // digest of what was asked, to tell a retry from a mistake
	wrapped []byte
	content []byte // sealed or clear
}

func (s *stored) size() int { return 7 + 32 + wrapSize + len(s.leaf) + len(s.content) }

func (s *stored) append(b []byte) []byte {
	b = append(b, s.form)
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.leaf)))
	b = append(b, s.leaf...)
	if s.form&withIdem != 0 {
		b = append(b, s.idem[:]...)
		b = append(b, s.request[:]...)
	}
	if s.form&contentMask == contentSealed {
		b = append(b, s.wrapped...)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.content)))
	return append(b, s.content...)
}

// payloads splits a batch into the payloads of one group of frames.
func payloads(first uint64, batch []stored, checkpoint []byte) [][]byte {
	var out [][]byte
	for len(batch) > 0 {
		n, size := 0, 0
		for n < len(batch) && n < maxPerFrame && (n == 0 || size+batch[n].size() <= frameTarget) {
			size += batch[n].size()
			n++
		}
		out = append(out, payload(first, batch[:n], size, checkpoint, n == len(batch)))
		first, batch = first+uint64(n), batch[n:]
	}
	return out
}

func payload(first uint64, batch []stored, size int, checkpoint []byte, last bool) []byte {
	b := make([]byte, 0, 13+size+len(checkpoint))
	b = append(b, payloadVersion)
	b = binary.BigEndian.AppendUint64(b, first)
	b = binary.BigEndian.AppendUint16(b, uint16(len(batch)))
	for i := range batch {
		b = batch[i].append(b)
	}
	if !last {
		checkpoint = nil
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(checkpoint)))
	return append(b, checkpoint...)
}

// frameContent is a decoded payload; it refers to the payload's bytes.
type frameContent struct {
	first      uint64
	entries    []stored
	checkpoint []byte
}

var errPayload = errors.New("the frame opens but its content is malformed")

// parsePayload is strict. The payload is authentic when it gets here, so a failure is a bug or another version.
func parsePayload(b []byte) (frameContent, error) {
	r := reader{b: b}
	if v := r.u8(); r.bad || v != payloadVersion {
		return frameContent{}, fmt.Errorf("%w: version %d, this is version %d", errPayload, v, payloadVersion)
	}
	f := frameContent{first: r.u64()}
	f.entries = make([]stored, 0, min(r.peek16(), maxPerFrame))
	for n := r.u16(); n > 0 && !r.bad; n-- {
		f.entries = append(f.entries, r.stored())
	}
	f.checkpoint = r.take(r.u16())
	if r.bad || len(r.b) > 0 || len(f.entries) == 0 {
		return frameContent{}, errPayload
	}
	return f, nil
}

// reader takes big-endian fields from the front; it remembers the first shortage.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) number(n int) uint64 {
	var v uint64
	for _, c := range r.take(n) {
		v = v<<8 | uint64(c)
	}
	return v
}

func (r *reader) u8() byte    { return byte(r.number(1)) }
func (r *reader) u16() int    { return int(r.number(2)) }
func (r *reader) u32() int    { return int(r.number(4)) }
func (r *reader) u64() uint64 { return r.number(8) }

func (r *reader) peek16() int {
	if len(r.b) < 2 {
		return 0
	}
	return int(binary.BigEndian.Uint16(r.b))
}

func (r *reader) stored() (s stored) {
	s.form = r.u8()
	if s.form&^(contentMask|withIdem) != 0 || s.form&contentMask == contentMask {
		r.bad = true
	}
	s.leaf = r.take(r.u16())
	if s.form&withIdem != 0 {
		copy(s.idem[:], r.take(16))
		copy(s.request[:], r.take(16))
	}
	if s.form&contentMask == contentSealed {
		s.wrapped = r.take(wrapSize)
	}
	s.content = r.take(r.u32())
	return s
}

// public splits the clear content of a boot leaf.
func (s *stored) public() (statement, part, evidence []byte, err error) {
	r := reader{b: s.content}
	statement, part, evidence = r.take(r.u32()), r.take(r.u32()), r.take(r.u32())
	if r.bad || len(r.b) > 0 {
		return nil, nil, nil, errPayload
	}
	return statement, part, evidence, nil
}

func joinPublic(blobs ...[]byte) []byte {
	var b []byte
	for _, p := range blobs {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(p))), p...)
	}
	return b
}

// joinContent is what is sealed for one entry: u32 length of the addendum, the addendum, then the real ids of a public
// entry (a tlog.Disclosed without content), which the published addendum must not hold.
func joinContent(addendum, ids []byte) []byte {
	b := make([]byte, 0, 4+len(addendum)+len(ids))
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(addendum))), addendum...)
	return append(b, ids...)
}

func splitContent(b []byte) (addendum []byte, ids tlog.Disclosed, err error) {
	r := reader{b: b}
	addendum = r.take(r.u32())
	if r.bad {
		return nil, ids, errPayload
	}
	if len(r.b) > 0 {
		ids, err = tlog.ParseDisclosed(r.b)
	}
	return addendum, ids, err
}
