package eventlog

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ParseCCEL reads a firmware log (ACPI table CCEL, TCG2 crypto-agile format: TCG PC Client Platform Firmware Profile §10).
// Register index 1 to 4 of an entry is RTMR 0 to 3. Every entry must have exactly one digest, SHA-384.
func ParseCCEL(raw []byte) ([]Event, error) {
	if len(raw) > maxLog {
		return nil, fmt.Errorf("reading CCEL: %d bytes, more than %d", len(raw), maxLog)
	}
	r := &reader{rest: raw}
	if err := specID(r); err != nil {
		return nil, fmt.Errorf("reading CCEL: header: %w", err)
	}
	var events []Event
	for !ended(r.rest) {
		e, skip, err := entry(r)
		if err != nil {
			return nil, fmt.Errorf("reading CCEL: entry %d: %w", len(events), err)
		}
		if skip {
			continue
		}
		if events = append(events, e); len(events) > maxEvents {
			return nil, fmt.Errorf("reading CCEL: more than %d events", maxEvents)
		}
	}
	return events, nil
}

const (
	algSHA384  = 0x000c
	noAction   = 3
	signature3 = "Spec ID Event03\x00"
)

// ended: the table is as large as the firmware reserved, and filled with ff or 00 after the last entry.
func ended(rest []byte) bool {
	if len(rest) == 0 {
		return true
	}
	for _, b := range rest {
		if b != rest[0] {
			return false
		}
	}
	return rest[0] == 0xff || rest[0] == 0
}

// specID reads the first entry, which has the old format and describes the algorithms: TCG_EfiSpecIDEvent.
func specID(r *reader) error {
	index, typ := r.u32(), r.u32()
	r.bytes(20)
	body := &reader{rest: r.bytes(int(r.u32()))}
	if r.err != nil || typ != noAction || index > 1 {
		return errors.New("not a Spec ID event")
	}
	if string(body.bytes(16)) != signature3 {
		return errors.New("not the crypto-agile format")
	}
	body.bytes(8) // platform class, spec version, UINTN size
	if n := body.u32(); n != 1 {
		return fmt.Errorf("%d digest algorithms, want SHA-384 alone", n)
	}
	if alg, size := body.u16(), body.u16(); alg != algSHA384 || size != 48 {
		return fmt.Errorf("digest algorithm %#x of %d bytes, want SHA-384", alg, size)
	}
	body.bytes(int(body.u8()))
	if body.err != nil || len(body.rest) != 0 {
		return errors.New("cut or with trailing bytes")
	}
	return nil
}

// entry reads one TCG_PCR_EVENT2. EV_NO_ACTION extends nothing and is skipped.
func entry(r *reader) (e Event, skip bool, err error) {
	index, typ, count := r.u32(), r.u32(), r.u32()
	if r.err == nil && count != 1 {
		return e, false, fmt.Errorf("%d digests, want 1", count)
	}
	alg := r.u16()
	digest := r.bytes(48)
	payload := r.bytes(int(r.u32()))
	switch {
	case r.err != nil:
		return e, false, r.err
	case alg != algSHA384:
		return e, false, fmt.Errorf("digest algorithm %#x, want SHA-384", alg)
	case index < 1 || index > 4:
		return e, false, fmt.Errorf("register index %d, want 1 to 4", index)
	}
	e = Event{IMR: index - 1, Type: typ, Digest: [48]byte(digest), Payload: payload, Version: 1}
	return e, typ == noAction, nil
}

// reader is a bounded little-endian reader; after the first short read everything is zero and err is set.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) bytes(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.rest) {
		r.err = errors.New("cut short")
		return make([]byte, max(0, min(n, 64)))
	}
	out := r.rest[:n:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) u8() uint8   { return r.bytes(1)[0] }
func (r *reader) u16() uint16 { return binary.LittleEndian.Uint16(r.bytes(2)) }
func (r *reader) u32() uint32 { return binary.LittleEndian.Uint32(r.bytes(4)) }
