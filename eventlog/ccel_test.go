package eventlog

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// ccelSample writes a log with one Spec ID entry, one event per register and one EV_NO_ACTION, then ff to the end.
func ccelSample() []byte {
	le := binary.LittleEndian
	body := append([]byte(signature3), 0, 0, 0, 0, 0, 2, 0, 2)
	body = le.AppendUint32(body, 1)
	body = le.AppendUint16(le.AppendUint16(body, algSHA384), 48)
	body = append(body, 0)
	b := le.AppendUint32(le.AppendUint32(nil, 0), noAction)
	b = append(b, make([]byte, 20)...)
	b = append(le.AppendUint32(b, uint32(len(body))), body...)
	for _, e := range []struct{ index, typ uint32 }{{1, 0x8000000b}, {2, 4}, {3, 6}, {4, 6}, {1, noAction}} {
		b = le.AppendUint32(le.AppendUint32(le.AppendUint32(b, e.index), e.typ), 1)
		b = le.AppendUint16(b, algSHA384)
		b = append(b, bytes.Repeat([]byte{byte(e.index)}, 48)...)
		b = append(le.AppendUint32(b, 3), "abc"...)
	}
	return append(b, bytes.Repeat([]byte{0xff}, 64)...)
}

func TestParseCCEL(t *testing.T) {
	events, err := ParseCCEL(ccelSample())
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != 4 || events[0].IMR != 0 || events[3].IMR != 3 || string(events[1].Payload) != "abc" {
		t.Errorf("%+v", events)
	}
	var want Registers
	for i := range want {
		want.Extend(uint32(i), [48]byte(bytes.Repeat([]byte{byte(i + 1)}, 48)))
	}
	if Replay(events) != want {
		t.Error("replay differs")
	}
}

func TestParseCCELRefuses(t *testing.T) {
	good := ccelSample()
	flip := func(at int, b byte) []byte { c := bytes.Clone(good); c[at] = b; return c }
	const first = 32 + 16 + 8 + 4 + 4 + 1 // where the first real entry begins
	for name, bad := range map[string][]byte{
		"empty":             nil,
		"old format":        flip(32, 'X'),
		"not a header":      flip(4, 1),
		"two algorithms":    flip(32+16+8, 2),
		"SHA-256":           flip(32+16+8+4, 0x0b),
		"register 0":        flip(first, 0),
		"register 5":        flip(first, 5),
		"two digests":       flip(first+8, 2),
		"digest of SHA-256": flip(first+12, 0x0b),
		"cut":               good[:first+30],
		"garbage at end":    append(bytes.Clone(good), 1),
		"huge event":        flip(first+14+48+3, 0x7f),
	} {
		if events, err := ParseCCEL(bad); err == nil {
			t.Errorf("%s: %d events", name, len(events))
		}
	}
}

func FuzzParseCCEL(f *testing.F) {
	f.Add(ccelSample())
	f.Fuzz(func(t *testing.T, raw []byte) {
		events, err := ParseCCEL(raw)
		if err == nil {
			for _, e := range events {
				if e.IMR > 3 {
					t.Fatal("register out of range")
				}
			}
		}
	})
}
